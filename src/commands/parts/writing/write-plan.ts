/** The plan of a change: which values are written, given what ESC has, and its words; pure. */
import { declarationOf, isDeclared } from "../../../contract/check-contract.ts";
import { credentialOf, looksSecret } from "../../../contract/looks-secret.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { enumerateFew } from "../../../core/lines.ts";
import type { Variable } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import type { EnvironmentState } from "../../../esc/api/change.ts";
import { findVariable } from "../../../esc/definition/definition-variables.ts";
import { isReservedName } from "../../../resolve/reserved-names.ts";
import { usageError } from "../usage-errors.ts";

export interface Candidate {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  /** The credential in words that makes it a secret although the contract declares it public. */
  readonly credential?: string;
  /** It is a secret only because no contract declares it: neither its name nor its value looks like one. */
  readonly isAssumed?: boolean;
}

export interface SortedVariables {
  readonly candidates: readonly Candidate[];
  readonly own: readonly string[];
  /** Declared and empty, which means unset. */
  readonly empty: readonly string[];
}

/** Sorts the variables of a file: those to write, settings of sophia-run, and empty ones. */
export function sortVariables(
  variables: readonly Variable[],
  contract: Contract,
  plain: ReadonlySet<string>,
): SortedVariables {
  const candidates: Candidate[] = [];
  const own: string[] = [];
  const empty: string[] = [];
  for (const { name, value } of variables) {
    if (reservedAs(name, contract) !== undefined) own.push(name);
    else if (value === "" && declarationOf(contract, name) !== undefined) empty.push(name);
    else candidates.push(candidateFor(name, value, contract, plain.has(name)));
  }
  return { candidates, own, empty };
}

/** Decides whether a variable to write is secret: by the user's word, else by the contract and the value. */
export function candidateFor(name: string, value: string, contract: Contract, isPlain: boolean): Candidate {
  if (isPlain) return { name, value, secret: false };
  const declaration = declarationOf(contract, name);
  if (declaration === undefined) return { name, value, secret: true, isAssumed: !looksSecret(name, value) };
  if (declaration.secret) return { name, value, secret: true };
  const credential = credentialOf(contract, name, value);
  return credential === undefined ? { name, value, secret: false } : { name, value, secret: true, credential };
}

/** @throws SophiaError (usage, 125) if the contract declares a secret @param option as the user wrote it */
export function requirePublic(name: string, contract: Contract, option: string): void {
  if (declarationOf(contract, name)?.secret !== true) return;
  throw usageError(
    `${option}: the contract declares ${printable(name)} a secret`,
    `leave the option out, or declare "secret": false there`,
  );
}

/** Returns the reason why a program would not get a variable from ESC: sophia-run reads it, or a later version may. */
export function reservedAs(name: string, contract: Contract): "setting" | "undeclared" | undefined {
  const isReserved = (declared: boolean): boolean =>
    isReservedName(
      name,
      () => false,
      () => declared,
    );
  if (isReserved(true)) return "setting";
  return isReserved(isDeclared(contract, name)) ? "undeclared" : undefined;
}

/** The effect of a change on a variable; after `same` the reasons why ESC's value stays. */
type State =
  | "added"
  | "replaced"
  | "same"
  /** It has another value; `--overwrite` replaces it. */
  | "differs"
  /** It has a value that can be read only with an approval; `--overwrite` replaces it. */
  | "hidden"
  /** It has a value that ESC does not show while a schema refuses values; `--overwrite` replaces it. */
  | "unopened"
  /** It is a file of ESC, which has precedence over a variable. */
  | "file"
  /** It comes from a provider, a rotation or another function. */
  | "function";

export interface PlannedValue extends Candidate {
  readonly state: State;
  /** A secret that ESC has with the same value in plain text. */
  readonly isPlain?: boolean;
}

/** Returns or is true if other values that ESC has are replaced. */
export type Overwrite = boolean | ((name: string) => boolean);

/** Returns the function that plans values for one state of ESC. */
export function planner(current: EnvironmentState, overwrite: Overwrite): (candidate: Candidate) => PlannedValue {
  const overwrites = typeof overwrite === "boolean" ? (): boolean => overwrite : overwrite;
  const variables = new Map(current.opened.variables.map((one) => [one.name, one]));
  return (candidate) => {
    const { name, value } = candidate;
    const existing = variables.get(name);
    if (existing?.delivery === "value" && existing.value === value) {
      return {
        ...candidate,
        state: "same",
        isPlain: candidate.secret && candidate.isAssumed !== true && !existing.secret,
      };
    }
    // A secret stays secret, also one of an import or behind a reference. A value that is hidden may be one.
    const secret = candidate.secret || existing?.secret === true || current.hidden?.has(name) === true;
    return { ...candidate, secret, state: stateBeside(existing, name, current, overwrites(name)) };
  };
}

/** Returns the state of a variable whose new value differs from ESC's. */
export function stateOf(name: string, current: EnvironmentState, overwrite: boolean): State {
  const existing = current.opened.variables.find((one) => one.name === name);
  return stateBeside(existing, name, current, overwrite);
}

function stateBeside(
  existing: Variable | undefined,
  name: string,
  { definition, hidden, hiddenBy }: EnvironmentState,
  overwrite: boolean,
): State {
  const defined = findVariable(definition, name);
  const isHidden = hidden?.has(name) === true;
  if (existing === undefined && defined === undefined && !isHidden) return "added";
  if (existing?.delivery === "file") return "file";
  if (defined?.kind === "rotated" || defined?.kind === "function") return "function";
  // An empty value is unset: nothing is lost, and messages of a missing value name the command without `--overwrite`.
  const isEmpty = existing?.value === "" && (defined?.kind === "value" || defined?.kind === "secret");
  if (overwrite || isEmpty) return "replaced";
  if (!isHidden) return "differs";
  return hiddenBy === "schema" ? "unopened" : "hidden";
}

export function isChange({ state }: Pick<PlannedValue, "state">): boolean {
  return state === "added" || state === "replaced";
}

const UNCHANGED: readonly (readonly [State, string])[] = [
  ["same", "already the same in ESC"],
  ["differs", "kept, since ESC has another value; --overwrite replaces it"],
  ["hidden", "kept, since reading the value in ESC requires an approval; --overwrite replaces it"],
  ["unopened", "kept, since a schema in ESC refuses values and hides this one; --overwrite replaces it"],
  ["file", "kept, since it is a file in ESC"],
  ["function", "kept, since a provider or function sets it in ESC"],
];

/**
 * Words a plan without values. @param where the target, such as `.env into acme/app/dev@1`
 * @param plain the option that writes plain text
 */
export function planText(
  plan: readonly PlannedValue[],
  where: string,
  plain: string,
  { own, empty }: Omit<SortedVariables, "candidates"> = { own: [], empty: [] },
): string {
  const inState = (state: State): readonly PlannedValue[] => plan.filter((one) => one.state === state);
  const width = Math.max(0, ...plan.filter(isChange).map(({ name }) => printable(name).length));
  const changes = (state: State, sign: string): readonly string[] =>
    inState(state).map(
      ({ name, secret }) => `  ${sign} ${printable(name).padEnd(width)}  ${secret ? "secret" : "plain text"}`,
    );
  const about = (names: readonly string[], words: string): readonly string[] =>
    names.length === 0 ? [] : [`  ${enumerateFew(names.map(printable))}: ${words}`];
  const namesOf = (planned: readonly PlannedValue[]): readonly string[] => planned.map(({ name }) => name);
  const assumed = plan.filter((one) => isChange(one) && one.isAssumed === true);
  return [
    `${printable(where)}:`,
    ...changes("added", "+"),
    ...changes("replaced", "~"),
    ...UNCHANGED.flatMap(([state, words]) => about(namesOf(inState(state)), words)),
    ...about(namesOf(plan.filter(({ isPlain }) => isPlain === true)), "a secret that is plain text in ESC"),
    ...plan.flatMap(({ name, credential = "" }) =>
      credential === ""
        ? []
        : about([name], `secret, since the value holds ${credential}, although the contract declares it public`),
    ),
    ...about(
      namesOf(assumed),
      `secret, since the contract does not declare ${assumed.length === 1 ? "it" : "them"}; ${plain} writes plain text`,
    ),
    ...about(empty, "left out: empty, which means unset"),
    ...about(own, "left out: settings of sophia-run"),
    "",
  ].join("\n");
}

import type { Environment, Layer, Variable } from "../core/model.ts";
import { ADMIN_TOKEN, ID_TOKEN_VARIABLES, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import { type CaseFolding, createMatcher } from "./name-globs.ts";
import { sourceGroupOf } from "./precedence.ts";
import { isReserved } from "./reserved-names.ts";
import type { Risk, Risks } from "./risks-of-files.ts";
import type { Settings } from "../command-line/settings.ts";

/** Variables that most processes need, which `--pristine` passes on; together with `LC_*`, the locale. */
const BASELINE: ReadonlySet<string> = new Set(
  [
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TMPDIR", "TZ"],
    ["TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LANG", "LANGUAGE"],
    ["XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ].flat(),
);

type Options = "onlyDeclared" | "pristine" | "include" | "exclude" | "keepEsc" | "allow";

/** The rules for names on a system that ignores their case. */
export interface WindowsNameRules extends CaseFolding {
  readonly isBaseline: (folded: string) => boolean;
}

export type Selection = Pick<Settings, Options> & {
  /** False if ESC refuses access. */
  readonly usesFiles: boolean;
  readonly usesIdToken?: boolean;
  /** The caller's variables, which ESC overrides; undefined if ESC does not override any. */
  readonly overridable?: Environment;
  /** Variables `NAME_FILE` whose files were read. */
  readonly pointers: readonly string[];
  readonly risks: Risks["byName"];
  /** Declared names that do not belong to the scope; undefined without `--scope`. */
  readonly outOfScope: ReadonlySet<string> | undefined;
  readonly folding?: WindowsNameRules | undefined;
};

/** The reason why the program does not get a variable; `withheld-words.ts` has the words. */
export type WithholdingReason =
  | "launcher"
  | "pointer"
  | "writer"
  | "reserved"
  | Risk
  | "callers-own"
  | "esc-refused"
  | "not-in-scope"
  | "excluded"
  | "not-included"
  | "not-declared"
  | "not-baseline";

/**
 * Returns the reason to withhold a variable of one source. `--exclude` wins over every other option, `--include` over
 * `--only-declared` and `--pristine`. In a scope, it adds undeclared variables, never those of other processes.
 */
export function createWithholdingRule(
  selection: Selection,
  isDeclared: (name: string) => boolean,
): (variable: Pick<Variable, "name" | "origin">) => WithholdingReason | undefined {
  const { keepEsc, pristine, onlyDeclared, usesFiles, risks, outOfScope, folding } = selection;
  const isAllowed = (name: string): boolean => selection.allow.includes(name);
  const launchers = [...WITHHELD_VARIABLES, ...(selection.usesIdToken === true ? ID_TOKEN_VARIABLES : [])];
  const own = new Map<string, WithholdingReason>([[ADMIN_TOKEN, "writer"]]);
  for (const name of selection.pointers) own.set(name, "pointer");
  if (!keepEsc) for (const name of launchers) own.set(name, "launcher");
  const [included, excluded] = [selection.include, selection.exclude].map((globs) =>
    globs.length === 0 ? undefined : createMatcher(globs, folding),
  );
  return (variable) => {
    const { name, origin } = variable;
    if (isReserved(variable, isAllowed, isDeclared)) return "reserved";
    const why = own.get(name);
    if (why !== undefined) return why;
    const risk = risks.get(name)?.get(origin);
    if (risk !== undefined && !isAllowed(name)) return risk;
    if (isCallersOwn(selection, variable) && !isAllowed(name) && !isDeclared(name)) return "callers-own";
    const givenBy = sourceGroupOf(origin.source);
    if (!usesFiles && givenBy === "configuration" && origin.source !== "esc") return "esc-refused";
    if (outOfScope?.has(name) === true) return "not-in-scope";
    if (excluded?.(name) === true) return "excluded";
    if (included?.(name) === true) return undefined;
    switch (givenBy) {
      case "caller":
        return !pristine || isBaseline(name, folding) || isDeclared(name) ? undefined : "not-baseline";
      case "configuration":
        if (selection.include.length > 0) return "not-included";
        if (outOfScope !== undefined && !isDeclared(name)) return "not-in-scope";
        return !(onlyDeclared || pristine) || isDeclared(name) ? undefined : "not-declared";
      // Defaults and dummies are of declared variables.
      case "contract":
        return undefined;
    }
  };
}

/** Returns true if `withholding` has no reason for any of the caller's variables. It need not look at each of thousands. */
export function passesWholeEnvironment(
  { pristine, exclude, outOfScope, usesIdToken }: Selection,
  environment: Environment,
): boolean {
  const isLimited = pristine || exclude.length > 0 || outOfScope !== undefined || usesIdToken === true;
  return !isLimited && ![ADMIN_TOKEN, ...WITHHELD_VARIABLES].some((name) => environment.has(name));
}

/** Removes variables that the program does not get. Before `resolve`: a withheld value must not hide another one. */
export function selectVariables(
  layers: readonly Layer[],
  selection: Selection,
  isDeclared: (name: string) => boolean,
): readonly Layer[] {
  const reason = createWithholdingRule(selection, isDeclared);
  return layers.map((layer) => {
    const isPassed = (variable: Variable): boolean => reason(variable) === undefined;
    // Most programs get everything; copying a list of thousands takes time.
    return layer.variables.every(isPassed) ? layer : { ...layer, variables: layer.variables.filter(isPassed) };
  });
}

/**
 * Returns true if ESC would override a variable of the caller's session, such as `PATH`, only because a file that was found
 * has the credential.
 */
function isCallersOwn(
  { overridable, folding }: Selection,
  { name, origin }: Pick<Variable, "name" | "origin">,
): boolean {
  if (overridable === undefined || origin.source !== "esc" || origin.openedBy === undefined) return false;
  return overridable.has(name) && isBaseline(name, folding);
}

/** Returns true for a variable that most processes need. */
export function isBaseline(name: string, folding: WindowsNameRules | undefined): boolean {
  const folded = folding?.fold(name) ?? name;
  return BASELINE.has(folded) || folded.startsWith("LC_") || folding?.isBaseline(folded) === true;
}

/**
 * Decides which variables the program does not get, and for which reason: because of an option such as `--exclude`, because they are
 * settings of sophia-run itself, or because a file sets them and they could do harm. resolve-values.ts calls `selectVariables`, and
 * reports ask for the reasons.
 */
import type { Environment, Layer, Variable } from "../core/model.ts";
import { ADMIN_TOKEN, ID_TOKEN_VARIABLES, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import { type CaseFolding, createMatcher } from "./name-globs.ts";
import { sourceGroupOf } from "./precedence.ts";
import { isReserved } from "./reserved-names.ts";
import type { Risk, Risks } from "./risks-of-files.ts";
import type { Settings } from "../command-line/settings.ts";

/** Variables that most processes need. `--pristine` passes on these and those that begin with `LC_`, the locale. */
const BASELINE: ReadonlySet<string> = new Set(
  [
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TMPDIR", "TZ"],
    ["TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LANG", "LANGUAGE"],
    ["XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ].flat(),
);

type SelectionOptions = "onlyDeclared" | "pristine" | "include" | "exclude" | "keepEsc" | "allow";

/** The rules for names on Windows, which ignores their case: how they are compared, and which variables its programs need. */
export interface WindowsNameRules extends CaseFolding {
  /** Returns true for a folded name that programs of this system need. */
  readonly isBaseline: (foldedName: string) => boolean;
}

/** The options that select variables, and what is known of a start that withholds them. */
export type Selection = Pick<Settings, SelectionOptions> & {
  /** False if ESC refuses access. Values of files are then withheld. */
  readonly usesFiles: boolean;
  /** True if an ID token of GitHub Actions opens ESC. The variables for it are then withheld. */
  readonly usesIdToken?: boolean;
  /** The caller's variables, if ESC wins over the environment (`--prefer esc`). */
  readonly overridable?: Environment;
  /** The variables `NAME_FILE` whose files were read. */
  readonly pointers: readonly string[];
  /** The variables by which files would do harm. */
  readonly risks: Risks["byName"];
  /** Declared names that do not belong to the scope; undefined without `--scope`. */
  readonly outOfScope: ReadonlySet<string> | undefined;
  readonly folding?: WindowsNameRules | undefined;
};

/** The reason why the program does not get a variable. `withheld-words.ts` describes each for the user. */
export type WithholdingReason =
  /** It is a setting for ESC, which sophia-run uses itself. */
  | "launcher"
  /** It is a `NAME_FILE` whose file was read. */
  | "pointer"
  /** It is the token of commands that write. */
  | "writer"
  /** Its name is reserved for settings of sophia-run, and it does not come from the caller (`reserved-names.ts`). */
  | "reserved"
  /** It could do harm, and a file or an ESC environment that a file opens sets it (`risks-of-files.ts`). */
  | Risk
  /** A file that was found would override a variable of the caller's session through ESC. */
  | "callers-own"
  /** A file sets it, and ESC refuses access. */
  | "esc-refused"
  /** It does not belong to the scope (`--scope`). */
  | "not-in-scope"
  /** `--exclude` names it. */
  | "excluded"
  /** `--include` does not name it. */
  | "not-included"
  /** The contract does not declare it (`--only-declared` or `--pristine`). */
  | "not-declared"
  /** Most processes do not need it, and the contract does not declare it (`--pristine`). */
  | "not-baseline";

/**
 * Returns a function that returns the reason to withhold a variable of one source, or undefined to pass the variable on.
 *
 * `--exclude` wins over all other options. `--include` wins over `--only-declared` and `--pristine`. In a scope, `--include` adds
 * undeclared variables, but never variables of other scopes.
 */
export function createWithholdingRule(
  selection: Selection,
  isDeclared: (name: string) => boolean,
): (variable: Pick<Variable, "name" | "origin">) => WithholdingReason | undefined {
  const { keepEsc, pristine, onlyDeclared, usesFiles, risks, outOfScope, folding } = selection;
  const isAllowed = (name: string): boolean => selection.allow.includes(name);
  const launcherNames = [...WITHHELD_VARIABLES, ...(selection.usesIdToken === true ? ID_TOKEN_VARIABLES : [])];
  const reasonsByName = new Map<string, WithholdingReason>([[ADMIN_TOKEN, "writer"]]);
  for (const name of selection.pointers) reasonsByName.set(name, "pointer");
  if (!keepEsc) for (const name of launcherNames) reasonsByName.set(name, "launcher");
  const [isIncluded, isExcluded] = [selection.include, selection.exclude].map((globs) =>
    globs.length === 0 ? undefined : createMatcher(globs, folding),
  );
  // The first reason wins. The reasons that protect the caller and ESC come before those of the user's options.
  return (variable) => {
    const { name, origin } = variable;
    if (isReserved(variable, isAllowed, isDeclared)) return "reserved";
    const reason = reasonsByName.get(name);
    if (reason !== undefined) return reason;
    const risk = risks.get(name)?.get(origin);
    if (risk !== undefined && !isAllowed(name)) return risk;
    if (overridesSession(selection, variable) && !isAllowed(name) && !isDeclared(name)) return "callers-own";
    const sourceGroup = sourceGroupOf(origin.source);
    if (!usesFiles && sourceGroup === "configuration" && origin.source !== "esc") return "esc-refused";
    if (outOfScope?.has(name) === true) return "not-in-scope";
    if (isExcluded?.(name) === true) return "excluded";
    if (isIncluded?.(name) === true) return undefined;
    switch (sourceGroup) {
      case "caller":
        return !pristine || isBaseline(name, folding) || isDeclared(name) ? undefined : "not-baseline";
      case "configuration":
        if (selection.include.length > 0) return "not-included";
        if (outOfScope !== undefined && !isDeclared(name)) return "not-in-scope";
        return !(onlyDeclared || pristine) || isDeclared(name) ? undefined : "not-declared";
      // Only declared variables have defaults and dummies.
      case "contract":
        return undefined;
    }
  };
}

/**
 * Returns true if `createWithholdingRule` has no reason to withhold any of the caller's variables. This test is fast, because it does
 * not look at each of the variables, of which there may be thousands.
 */
export function passesWholeEnvironment(
  { pristine, exclude, outOfScope, usesIdToken }: Selection,
  environment: Environment,
): boolean {
  const isLimited = pristine || exclude.length > 0 || outOfScope !== undefined || usesIdToken === true;
  return !isLimited && ![ADMIN_TOKEN, ...WITHHELD_VARIABLES].some((name) => environment.has(name));
}

/**
 * Removes the variables that the program does not get. This must happen before `resolveLayers`, so that a withheld value does not
 * override a value of a lower layer.
 */
export function selectVariables(
  layers: readonly Layer[],
  selection: Selection,
  isDeclared: (name: string) => boolean,
): readonly Layer[] {
  const reasonFor = createWithholdingRule(selection, isDeclared);
  return layers.map((layer) => {
    const isPassed = (variable: Variable): boolean => reasonFor(variable) === undefined;
    // Most programs get everything. Copying a list of thousands of variables would take time.
    return layer.variables.every(isPassed) ? layer : { ...layer, variables: layer.variables.filter(isPassed) };
  });
}

/**
 * Returns true if ESC would override a variable that the caller's session needs, such as `PATH`, and a file that was found has the
 * credential for ESC. The authors of that file must not decide over the session.
 */
function overridesSession(
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

import { matchesGlob } from "../core/glob.ts";
import type { Layer, Origin, Variable } from "../core/model.ts";
import { ADMIN_TOKEN, ID_TOKEN_VARIABLES, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import { isReserved } from "./from-files.ts";
import type { Places } from "./redirections.ts";
import { sourceOf } from "./sources.ts";
import type { Settings } from "../command-line/settings.ts";

/** Variables that a process can hardly do without; kept by `--pristine`. `LC_*` is the locale. */
const BASELINE: ReadonlySet<string> = new Set(
  [
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TMPDIR", "TZ"],
    ["TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LANG", "LANGUAGE"],
    ["XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ].flat(),
);

type Options = "onlyDeclared" | "pristine" | "include" | "exclude" | "keepEsc" | "allow";

/** Names where the system folds their case. */
export interface Folding {
  readonly fold: (name: string) => string;
  readonly isBaseline: (folded: string) => boolean;
}

export type Selection = Pick<Settings, Options> & {
  /** False if ESC refuses access. */
  readonly dotenvServes: boolean;
  readonly idTokenServes?: boolean;
  /** The places in files that make other programs run code, and those that send a key of another source elsewhere. */
  readonly code: ReadonlySet<Origin>;
  readonly redirections: Places;
  /** Declared names that do not belong to the scope; undefined without `--scope`. */
  readonly outOfScope: ReadonlySet<string> | undefined;
  readonly folding?: Folding | undefined;
};

/** Why the program does not get a variable; in words in `withheld.ts`. */
export type Withholding =
  | "launcher"
  | "writer"
  | "reserved"
  | "runs-code"
  | "redirects-key"
  | "esc-refused"
  | "not-in-scope"
  | "excluded"
  | "not-included"
  | "not-declared"
  | "not-baseline";

/**
 * Decides about one variable of one source: why the program does not get it, or `undefined` if it does. `--exclude`
 * wins over every other option, `--include` over `--only-declared` and `--pristine`; it adds to a scope what is not
 * declared, never what belongs to other processes.
 */
export function withholding(
  selection: Selection,
  isDeclared: (name: string) => boolean,
): (variable: Pick<Variable, "name" | "origin">) => Withholding | undefined {
  const { keepEsc, pristine, onlyDeclared, dotenvServes, code, redirections, outOfScope, folding } = selection;
  const isAllowed = (name: string): boolean => selection.allow.includes(name);
  const launchers = [...WITHHELD_VARIABLES, ...(selection.idTokenServes === true ? ID_TOKEN_VARIABLES : [])];
  const own = new Map<string, Withholding>([[ADMIN_TOKEN, "writer"]]);
  if (!keepEsc) for (const name of launchers) own.set(name, "launcher");
  const included = matcher(selection.include, folding);
  const excluded = matcher(selection.exclude, folding);
  return (variable) => {
    const { name, origin } = variable;
    const why = own.get(name);
    if (why !== undefined) return why;
    if (isReserved(variable, isAllowed, isDeclared)) return "reserved";
    if (code.has(origin) && !isAllowed(name) && !isDeclared(name)) return "runs-code";
    if (redirections.get(name)?.has(origin) === true && !isAllowed(name)) return "redirects-key";
    if (origin.source === "dotenv" && !dotenvServes) return "esc-refused";
    if (outOfScope?.has(name) === true) return "not-in-scope";
    if (excluded(name)) return "excluded";
    if (included(name)) return undefined;
    switch (sourceOf(origin.source).givenBy) {
      case "caller":
        return !pristine || isBaseline(name, folding) || isDeclared(name) ? undefined : "not-baseline";
      case "configuration":
        if (selection.include.length > 0) return "not-included";
        if (outOfScope !== undefined && !isDeclared(name)) return "not-in-scope";
        return !(onlyDeclared || pristine) || isDeclared(name) ? undefined : "not-declared";
      // A default or dummy value is declared.
      case "contract":
        return undefined;
    }
  };
}

/**
 * The layers without the variables that the program does not get. Before precedence is settled, not after: an
 * undeclared value of ESC that is not passed on must not hide that of the environment, which is.
 */
export function select(
  layers: readonly Layer[],
  selection: Selection,
  isDeclared: (name: string) => boolean,
): readonly Layer[] {
  const reason = withholding(selection, isDeclared);
  return layers.map((layer) => {
    const isPassed = (variable: Variable): boolean => reason(variable) === undefined;
    // Nothing is withheld from most programs, and to copy a list of thousands takes time.
    return layer.variables.every(isPassed) ? layer : { ...layer, variables: layer.variables.filter(isPassed) };
  });
}

function isBaseline(name: string, folding: Folding | undefined): boolean {
  const told = folding?.fold(name) ?? name;
  return BASELINE.has(told) || told.startsWith("LC_") || folding?.isBaseline(told) === true;
}

export function matcher(globs: readonly string[], folding?: Folding): (name: string) => boolean {
  if (globs.length === 0) return () => false;
  if (folding === undefined) return (name) => globs.some((glob) => matchesGlob(glob, name));
  const folded = globs.map(folding.fold);
  return (name) => folded.some((glob) => matchesGlob(glob, folding.fold(name)));
}

import type { Resolution, Resolved } from "./model.ts";
import type { Settings } from "./settings.ts";

/** What a process can hardly do without; kept by `--pristine`. `LC_*` is the locale. */
const BASELINE: ReadonlySet<string> = new Set(
  [
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "HOSTNAME", "TMPDIR", "TZ"],
    ["TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "LANG", "LANGUAGE"],
    ["XDG_RUNTIME_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR"],
    // Windows programs do not start without these.
    ["SystemRoot", "SYSTEMROOT", "SystemDrive", "windir", "ComSpec", "COMSPEC", "PATHEXT", "Path", "TEMP", "TMP"],
    ["USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramData", "ProgramFiles"],
  ].flat(),
);

export type Selection = Pick<Settings, "onlyDeclared" | "pristine" | "include" | "exclude" | "keepEsc">;

/**
 * Chooses which variables the program gets. Without any option that is all of them but the launcher's own
 * credentials (`withheld`).
 */
export function select(
  resolution: Resolution,
  selection: Selection,
  isDeclared: (name: string) => boolean,
  withheld: ReadonlySet<string>,
): Resolution {
  const included = matcher(selection.include);
  const excluded = matcher(selection.exclude);
  const keeps = (variable: Resolved): boolean => {
    const { name, origin } = variable;
    if (!selection.keepEsc && withheld.has(name)) return false;
    if (excluded(name)) return false;
    if (included(name)) return true;
    if (origin.source === "environment") return !selection.pristine || isBaseline(name) || isDeclared(name);
    if (selection.include.length > 0) return false;
    return !(selection.onlyDeclared || selection.pristine) || isDeclared(name);
  };
  return new Map(Array.from(resolution).filter(([, variable]) => keeps(variable)));
}

function isBaseline(name: string): boolean {
  return BASELINE.has(name) || name.startsWith("LC_");
}

/** Whether a name matches one of the globs, in which `*` stands for any characters and `?` for one. */
function matcher(globs: readonly string[]): (name: string) => boolean {
  if (globs.length === 0) return () => false;
  const patterns = globs.map((glob) => {
    const source = glob.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
    return new RegExp(`^${source.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su");
  });
  return (name) => patterns.some((pattern) => pattern.test(name));
}

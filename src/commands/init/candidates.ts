import { OPTION_NAMES, variableOf } from "../../command-line/options.ts";
import type { GroupKind } from "../../contract/model.ts";
import { isOfRunner } from "../../core/actions-runner.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../../esc/settings/own-variables.ts";

/** A variable that the new contract may declare. */
export interface Candidate {
  readonly name: string;
  readonly required: boolean;
  readonly label?: string | undefined;
  readonly description?: string | undefined;
  /** Shown to every reader of the contract, so never a value that may be a real secret. */
  readonly example?: string | undefined;
  readonly secret?: boolean | undefined;
  readonly default?: string | undefined;
  readonly docs?: string | undefined;
  /** The source has a value, which is not read: its format must not be guessed from the name. */
  readonly isGiven?: boolean;
}

export interface CandidateGroup {
  readonly label: string;
  readonly rule: GroupKind;
  readonly variables: readonly string[];
}

export interface SourceResult {
  readonly candidates: readonly Candidate[];
  readonly groups?: readonly CandidateGroup[];
  /** The contract to extend: `builtin` or a path. */
  readonly base?: string;
  /** The source in words, such as `the code (3 files)`. */
  readonly source: string;
  readonly remarks?: readonly string[];
}

/** Variables of the system, of language runtimes and of tools, which no contract declares. */
const FOREIGN =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TMPDIR|TEMP|TMP|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|LANG|LC_\w+|TZ|HOSTNAME|DISPLAY|EDITOR|VISUAL|PAGER|CI|NODE_ENV|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|PYTHON\w+|VIRTUAL_ENV|APPDATA|LOCALAPPDATA|USERPROFILE|SystemRoot|ComSpec|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(?:FILE|DIR)|npm_\w+|XDG_\w+|PULUMI_(?:BACKEND_URL|DEFAULT_ORGANIZATION)|BASE_URL|MODE|DEV|PROD|SSR)$/;
const OWN: ReadonlySet<string> = new Set([
  ...OPTION_NAMES.map(variableOf),
  ...WITHHELD_VARIABLES,
  ADMIN_TOKEN,
  "ESC_ORG",
]);

/** Returns true for a name that a contract may declare: not one of the system, of CI or of sophia-run. */
export function isCandidateName(name: string): boolean {
  return /^[A-Za-z_]\w{0,254}$/.test(name) && !FOREIGN.test(name) && !isOfRunner(name) && !OWN.has(name);
}

/** Joins the candidates of several sources. One is required if any source requires it; other details come from the first. */
export function mergeCandidates(candidates: readonly Candidate[]): readonly Candidate[] {
  const merged = new Map<string, Candidate>();
  for (const one of candidates) {
    const earlier = merged.get(one.name);
    merged.set(one.name, { ...one, ...earlier, required: one.required || earlier?.required === true });
  }
  return [...merged.values()];
}

import { OPTION_NAMES, variableOf } from "../../command-line/options.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../../esc/settings/own-variables.ts";

/** A variable that may belong into the contract. */
export interface Found {
  readonly name: string;
  readonly required: boolean;
  readonly label?: string | undefined;
  readonly description?: string | undefined;
  /** Every reader of the contract sees it: never a value that may be a real secret. */
  readonly example?: string | undefined;
  readonly secret?: boolean;
  readonly default?: string | undefined;
  readonly docs?: string | undefined;
  /** It has a value that is not looked at: its name alone tells no format. */
  readonly isGiven?: boolean;
}

/** A rule over several variables. */
export interface FoundGroup {
  readonly label: string;
  readonly rule: "one-of" | "exactly-one" | "at-least-one" | "all-or-none";
  readonly variables: readonly string[];
}

/** Variables of the system, of language runtimes, of CI and of tools: no contract of a repository declares them. */
const FOREIGN =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TMPDIR|TEMP|TMP|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|LANG|LC_\w+|TZ|HOSTNAME|DISPLAY|EDITOR|VISUAL|PAGER|CI|NODE_ENV|NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|PYTHON\w+|VIRTUAL_ENV|APPDATA|LOCALAPPDATA|USERPROFILE|SystemRoot|ComSpec|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(?:FILE|DIR)|npm_\w+|XDG_\w+|PULUMI_(?:BACKEND_URL|DEFAULT_ORGANIZATION)|GITHUB_(?:ACTIONS|ENV|OUTPUT|SHA|REF|REF_NAME|REPOSITORY|WORKSPACE|RUN_ID|ACTOR|EVENT_NAME|STEP_SUMMARY)|RUNNER_\w+|BASE_URL|MODE|DEV|PROD|SSR)$/;
const OWN: ReadonlySet<string> = new Set([
  ...OPTION_NAMES.map(variableOf),
  ...WITHHELD_VARIABLES,
  ADMIN_TOKEN,
  "ESC_ORG",
]);

/** Returns true if a contract of the repository may declare the name. */
export function isCandidate(name: string): boolean {
  return /^[A-Za-z_]\w{0,254}$/.test(name) && !FOREIGN.test(name) && !OWN.has(name);
}

const SECRET =
  /(?:^|_)(?:KEY|KEYS|TOKEN|SECRET|SECRETS|PASS|PASSWORD|PASSWD|PAT|CREDENTIAL|CREDENTIALS|PRIVATE|DSN|AUTH|COOKIE|SIGNATURE|SALT)(?:_|$)/i;

export function soundsSecret(name: string): boolean {
  return SECRET.test(name);
}

/** Joins what several sources say of the same variables: required if any says so; else the first that has a detail counts. */
export function join(lists: readonly (readonly Found[])[]): readonly Found[] {
  const joined = new Map<string, Found>();
  for (const found of lists.flat()) {
    const earlier = joined.get(found.name);
    joined.set(found.name, { ...found, ...earlier, required: found.required || earlier?.required === true });
  }
  return [...joined.values()];
}

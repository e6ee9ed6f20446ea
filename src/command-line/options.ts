/** THE table of options. The command line, the variables, `--help` and completion are made from it. */

export interface OptionForm {
  readonly type: "boolean" | "string" | "list";
  readonly short?: string;
  /** Name of the value in `--help`. Shells complete `FILE` with file names. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** Value of the option alone. Another value follows `=`, or is the next word if that is one of the choices. */
  readonly alone?: string;
}

export interface Option extends OptionForm {
  readonly describe: string;
}

export const OPTIONS = {
  project: { type: "string", value: "DIR" },
  dotenv: { type: "list", value: "FILE" },
  "no-override": { type: "boolean" },
  "secrets-dir": { type: "list", value: "DIR" },
  prefer: { type: "string", value: "SOURCE", choices: ["environment", "esc"] },
  "require-esc": { type: "boolean" },
  timeout: { type: "string", value: "TIME" },
  session: { type: "string", value: "TIME" },
  "insecure-http": { type: "boolean" },
  cache: { type: "boolean" },
  offline: { type: "boolean" },
  "cache-fresh": { type: "string", value: "TIME" },
  "cache-max-age": { type: "string", value: "TIME" },
  fake: { type: "string", value: "WHICH", choices: ["secrets", "missing"], alone: "secrets" },
  contract: { type: "string", value: "FILE" },
  profile: { type: "string", value: "NAME" },
  scope: { type: "string", value: "NAME" },
  "no-contract": { type: "boolean" },
  "keep-esc": { type: "boolean" },
  allow: { type: "list", value: "NAME" },
  "only-declared": { type: "boolean" },
  pristine: { type: "boolean" },
  include: { type: "list", value: "GLOB" },
  exclude: { type: "list", value: "GLOB" },
  mode: { type: "string", value: "MODE", choices: ["auto", "spawn", "exec"] },
  "kill-after": { type: "string", value: "TIME" },
  "die-with-launcher": { type: "boolean" },
  "restore-nofile": { type: "boolean" },
  watch: { type: "boolean" },
  "watch-every": { type: "string", value: "TIME" },
  "watch-signal": {
    type: "string",
    value: "SIGNAL",
    choices: ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"],
  },
  "watch-grace": { type: "string", value: "TIME" },
  broker: { type: "boolean" },
  "broker-to": { type: "list", value: "ORIGIN" },
  "broker-except": { type: "list", value: "NAME" },
  "broker-listen": { type: "string", value: "ADDRESS" },
  "broker-name": { type: "string", value: "HOST" },
  refresh: { type: "boolean" },
  "aws-refresh": { type: "boolean" },
  "audit-log": { type: "string", value: "FILE" },
  reason: { type: "string", value: "TEXT" },
  redact: { type: "string", value: "WHEN", choices: ["auto", "always", "never", "github"], alone: "always" },
  quiet: { type: "boolean", short: "q" },
  verbose: { type: "boolean", short: "v" },
} as const satisfies Readonly<Record<string, OptionForm>>;

export type OptionName = keyof typeof OPTIONS;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table has exactly these keys
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** Returns the variable that sets an option. */
export function variableOf(name: OptionName): string {
  return `SOPHIA_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Named like the option of Node.js, and refused: to ignore it would start the program with other values. */
export const REFUSED_VARIABLE = "SOPHIA_ENV_FILE";

export const COMMON_OPTIONS = {
  help: { type: "string", short: "h", choices: ["all"], alone: "" },
  version: { type: "boolean", short: "V" },
} as const satisfies Readonly<Record<string, OptionForm>>;

/** Options from the command line; choices are not yet checked. */
export type Values = { readonly [name: string]: boolean | string | readonly string[] | undefined };

/**
 * The table of the options that more than one command takes. The command line, the variables `SOPHIA_…`, `--help` and completion
 * are made from it. A new option also needs a description (descriptions.ts), its commands (takers.ts) and its setting
 * (settings.ts).
 */

/** How the user writes an option, and which values it takes. */
export interface OptionForm {
  readonly type: "boolean" | "string" | "list";
  /** The short form without its dash: `q` for `-q`. */
  readonly short?: string;
  /** The placeholder of the value in `--help`. For `FILE` and `DIR` the completion offers paths. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /**
   * The value of an option that may be written without one: `always` for `--redact`. A value is written as `--redact=never`, or as
   * `--redact never` if it is one of the choices.
   */
  readonly alone?: string;
}

/** An option with its description, for help and completion. */
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

/** Returns the name of the environment variable that sets an option: SOPHIA_WATCH_EVERY for `watch-every`. */
export function variableOf(name: OptionName): string {
  return `SOPHIA_${name.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * The name of a variable that users may guess from the option `--env-file` of Node.js. sophia-run refuses it, because a program whose
 * start ignored it would get other values than its user expects.
 */
export const REFUSED_VARIABLE = "SOPHIA_ENV_FILE";

/** The options that every command takes. */
export const COMMON_OPTIONS = {
  help: { type: "string", short: "h", choices: ["all"], alone: "" },
  version: { type: "boolean", short: "V" },
} as const satisfies Readonly<Record<string, OptionForm>>;

/** The values of the options that the command line sets, by name. Whether they are among the choices is not yet checked. */
export type Values = { readonly [name: string]: boolean | string | readonly string[] | undefined };

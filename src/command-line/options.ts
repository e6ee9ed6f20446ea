/**
 * Every option of sophia-run, as data: the command line, the `SOPHIA_…` variables, `--help` and the shell
 * completion are all made from this table.
 */

/** An option of the command line. */
export interface Option {
  /** `list` may be given several times. */
  readonly type: "boolean" | "string" | "list";
  readonly describe: string;
  /** One letter, for `-x`. */
  readonly short?: string;
  /** What the help calls the value; `FILE` is completed with the names of files. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** What the option alone means; its value follows `=`, or is the next word if that is one of the choices. */
  readonly alone?: string;
}

/** An option of the run, which most subcommands take too. */
export interface SharedOption extends Option {
  /** The option itself takes commas as well: none of its values has a comma in it. */
  readonly commas?: true;
  readonly group: OptionGroup;
}

/** In the order of the help. */
export const OPTION_GROUPS = [
  "Sources",
  "Contract",
  "Environment of the program",
  "Launching",
  "Audit",
  "Output",
] as const;
export type OptionGroup = (typeof OPTION_GROUPS)[number];

export const OPTIONS = {
  dotenv: {
    type: "list",
    value: "FILE",
    group: "Sources",
    describe: "Read FILE instead of .env; repeatable (the variable takes commas), later files win",
  },
  prefer: {
    type: "string",
    choices: ["environment", "esc"],
    group: "Sources",
    describe: "Which wins if both set a variable: environment (default) or esc",
  },
  "require-esc": {
    type: "boolean",
    group: "Sources",
    describe: "Fail (125) if ESC cannot be read, instead of continuing without it",
  },
  timeout: {
    type: "string",
    value: "TIME",
    group: "Sources",
    describe: "The deadline for reading ESC: 30s (default), 500ms, 2m; a bare number is seconds",
  },
  session: {
    type: "string",
    value: "TIME",
    group: "Sources",
    describe: "How long the opened ESC environment lives, and credentials that providers make for it: 1h (default), 2h",
  },
  "insecure-http": {
    type: "boolean",
    group: "Sources",
    describe: "Allow an http:// backend on another host; the token is then sent unencrypted",
  },
  fake: {
    type: "boolean",
    group: "Sources",
    describe: "Fill missing variables with dummy values of the declared formats; ESC is not read",
  },
  contract: {
    type: "string",
    value: "FILE",
    group: "Contract",
    describe: "The contract; else sophia.contract.json from here upwards, else the built-in one",
  },
  profile: {
    type: "string",
    value: "NAME",
    group: "Contract",
    describe: "The profile of the contract that applies, such as dev, ci or prod",
  },
  scope: {
    type: "string",
    value: "NAME",
    group: "Contract",
    describe: "Check and pass on only what the contract lists for this process, such as web or worker",
  },
  "no-contract": {
    type: "boolean",
    group: "Contract",
    describe: "Launch even if the contract is not met",
  },
  "keep-esc": {
    type: "boolean",
    group: "Environment of the program",
    describe: "Pass ESC_ENV, ESC_TOKEN and related variables on to the program",
  },
  allow: {
    type: "list",
    commas: true,
    value: "NAME",
    group: "Environment of the program",
    describe: "Pass on NAME from .env though it makes other programs run code; several with commas",
  },
  "only-declared": {
    type: "boolean",
    group: "Environment of the program",
    describe: "From ESC and files, pass on only what the contract declares",
  },
  pristine: {
    type: "boolean",
    group: "Environment of the program",
    describe: "Start from a minimal environment (PATH, HOME, TERM, locale, …) plus what is declared",
  },
  include: {
    type: "list",
    commas: true,
    value: "GLOB",
    group: "Environment of the program",
    describe: "Pass on variables whose names match; from ESC and files only these, and no others are required",
  },
  exclude: {
    type: "list",
    commas: true,
    value: "GLOB",
    group: "Environment of the program",
    describe: "Never pass on variables whose names match, whatever their source; several with commas",
  },
  mode: {
    type: "string",
    choices: ["auto", "spawn", "exec"],
    group: "Launching",
    describe: "exec: become the program; spawn: stay beside it; auto (default): exec if that is safe",
  },
  "kill-after": {
    type: "string",
    value: "TIME",
    group: "Launching",
    describe: "Kill the program TIME after a forwarded SIGTERM, SIGINT or SIGQUIT; default: never",
  },
  "die-with-launcher": {
    type: "boolean",
    group: "Launching",
    describe: "Kill the program when sophia-run itself is killed by SIGKILL (Linux, needs setpriv)",
  },
  "restore-nofile": {
    type: "boolean",
    group: "Launching",
    describe: "Give the program the caller's soft limit of open files, which Node raises (Linux, needs prlimit)",
  },
  "audit-log": {
    type: "string",
    value: "FILE",
    group: "Audit",
    describe: "Record each start in FILE, without values",
  },
  reason: {
    type: "string",
    value: "TEXT",
    group: "Audit",
    describe: "Why the command runs, for the audit log",
  },
  redact: {
    type: "string",
    choices: ["auto", "always", "never", "github"],
    alone: "always",
    group: "Output",
    describe:
      "Show secrets in the program's output as ***: auto (default: in GitHub Actions and under coding agents), always, " +
      "never, or github (add-mask commands on stderr)",
  },
  quiet: {
    type: "boolean",
    short: "q",
    group: "Output",
    describe: "Report no overridden variables and no other notice; warnings and errors remain",
  },
  verbose: {
    type: "boolean",
    short: "v",
    group: "Output",
    describe: "Report on stderr each retry, and where each source was read",
  },
} as const satisfies Readonly<Record<string, SharedOption>>;

export type OptionName = keyof typeof OPTIONS;

/** The names of all shared options, in the order of the help. */
// Object.keys loses the key type; the table is a constant with exactly these keys.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** The environment variable that sets an option where the command line does not. A list's is separated by commas. */
export function variableOf(name: OptionName): string {
  return `SOPHIA_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** What every command line takes beside them. */
export const COMMON_OPTIONS = {
  help: { type: "boolean", short: "h", describe: "Show this help" },
  version: { type: "boolean", short: "V", describe: "Show the version" },
} as const satisfies Readonly<Record<string, Option>>;

/** Options as the command line sets them; choices are not yet checked. */
export type Values = { readonly [name: string]: boolean | string | readonly string[] | undefined };

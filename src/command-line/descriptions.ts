/** What each shared option is for: what help and completion show. A launch does not load it. */
import { OPTION_NAMES, OPTIONS, type Option, type OptionName } from "./options.ts";

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

interface Description {
  readonly group: OptionGroup;
  /** One line of `sophia-run --help`, for the twelve options that most users need. */
  readonly brief?: string;
  readonly describe: string;
}

export const DESCRIPTIONS: Readonly<Record<OptionName, Description>> = {
  dotenv: {
    group: "Sources",
    brief: "Read FILE instead of .env; repeatable",
    describe: "Read FILE instead of .env; repeatable (the variable takes commas), later files win",
  },
  prefer: {
    group: "Sources",
    describe: "Which wins if both set a variable: environment (default) or esc",
  },
  "require-esc": {
    group: "Sources",
    brief: "Fail if ESC cannot be read",
    describe: "Fail (125) if ESC cannot be read, instead of continuing without it",
  },
  timeout: {
    group: "Sources",
    describe: "The deadline for reading ESC: 30s (default), 500ms, 2m; a bare number is seconds",
  },
  session: {
    group: "Sources",
    describe: "How long the opened ESC environment lives, and credentials that providers make for it: 1h (default), 2h",
  },
  "insecure-http": {
    group: "Sources",
    describe: "Allow an http:// backend on another host; the token is then sent unencrypted",
  },
  cache: {
    group: "Sources",
    describe: "Keep what ESC gives, encrypted with the token, for when ESC is not available",
  },
  offline: {
    group: "Sources",
    brief: "Use the cache of ESC and send no request",
    describe: "Use what is kept and ask nobody (implies --cache)",
  },
  "cache-fresh": {
    group: "Sources",
    describe: "Ask nobody while what is kept is not older than TIME, such as 60s (implies --cache)",
  },
  "cache-max-age": {
    group: "Sources",
    describe: "What is older is not used: 24h (default), 30m",
  },
  fake: {
    group: "Sources",
    brief: "Fill missing variables with dummy values; ESC is not read",
    describe: "Fill missing variables with dummy values of the declared formats; ESC is not read",
  },
  contract: {
    group: "Contract",
    brief: "Use FILE instead of sophia.contract.json",
    describe: "The contract; else sophia.contract.json from here upwards, else the built-in one",
  },
  profile: {
    group: "Contract",
    brief: "Apply this profile of the contract, such as prod",
    describe: "The profile of the contract that applies, such as dev, ci or prod",
  },
  scope: {
    group: "Contract",
    brief: "Check and pass on only what this process needs",
    describe: "Check and pass on only what the contract lists for this process, such as web or worker",
  },
  "no-contract": {
    group: "Contract",
    brief: "Start even if the contract is not met",
    describe: "Launch even if the contract is not met",
  },
  "keep-esc": {
    group: "Environment of the program",
    describe: "Pass ESC_ENV, ESC_TOKEN and related variables on to the program",
  },
  allow: {
    group: "Environment of the program",
    describe: "Pass on NAME of a file though it makes programs run code or sends a key elsewhere",
  },
  "only-declared": {
    group: "Environment of the program",
    describe: "From ESC and files, pass on only what the contract declares",
  },
  pristine: {
    group: "Environment of the program",
    describe: "Start from a minimal environment (PATH, HOME, TERM, locale, …) plus what is declared",
  },
  include: {
    group: "Environment of the program",
    describe: "Pass on variables whose names match; from ESC and files only these, and no others are required",
  },
  exclude: {
    group: "Environment of the program",
    describe: "Never pass on variables whose names match, whatever their source; several with commas",
  },
  mode: {
    group: "Launching",
    brief: "exec: become the program; spawn: stay its parent",
    describe: "exec: become the program; spawn: stay beside it; auto (default): exec if that is safe",
  },
  "kill-after": {
    group: "Launching",
    describe: "Kill the program TIME after a forwarded SIGTERM, SIGINT or SIGQUIT; default: never",
  },
  "die-with-launcher": {
    group: "Launching",
    describe: "Kill the program when sophia-run itself is killed by SIGKILL (Linux)",
  },
  "restore-nofile": {
    group: "Launching",
    describe: "Give the program the caller's soft limit of open files, which Node raises (Linux)",
  },
  watch: {
    group: "Launching",
    brief: "Restart the program when its values in ESC change",
    describe: "Start the program anew when what ESC gives it changes (docs/watch.md)",
  },
  "watch-every": {
    group: "Launching",
    describe: "How often to look whether ESC has changed: 30s (default), at least 1s",
  },
  "watch-signal": {
    group: "Launching",
    describe: "What asks the program to end when it is to be started anew; SIGTERM by default",
  },
  "watch-grace": {
    group: "Launching",
    describe: "How long it may take to end until it is killed by SIGKILL: 10s (default)",
  },
  "audit-log": {
    group: "Audit",
    describe: "Record each start in FILE, without values",
  },
  reason: {
    group: "Audit",
    describe: "Why the command runs, for the audit log",
  },
  redact: {
    group: "Output",
    brief: "Show secrets in the output as ***: auto, always or never",
    describe:
      "Show secrets in the program's output as ***: auto (default: in GitHub Actions and under coding agents), always, " +
      "never, or github (add-mask commands on stderr)",
  },
  quiet: {
    group: "Output",
    brief: "Suppress notices; warnings and errors are still printed",
    describe: "Report no overridden variables and no other notice; warnings and errors remain",
  },
  verbose: {
    group: "Output",
    describe: "Report on stderr each retry, and where each source was read",
  },
};

/** The shared options with what they are for, in the order of the help. */
export const DESCRIBED_OPTIONS: Readonly<Record<string, Option>> = Object.fromEntries(
  OPTION_NAMES.map((name) => [name, { ...OPTIONS[name], ...DESCRIPTIONS[name] }]),
);

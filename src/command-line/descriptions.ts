/** Purposes of the shared options, for help and completion. A launch does not load them. */
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
  readonly brief: string | undefined;
  readonly describe: string;
}

const of =
  (group: OptionGroup) =>
  (describe: string, brief?: string): Description => ({ group, describe, brief });
const source = of("Sources");
const contract = of("Contract");
const passing = of("Environment of the program");
const launching = of("Launching");
const audit = of("Audit");
const output = of("Output");

export const DESCRIPTIONS: Readonly<Record<OptionName, Description>> = {
  dotenv: source(
    "Read FILE instead of .env; repeatable (the variable takes commas), later files win",
    "Read FILE instead of .env; repeatable",
  ),
  prefer: source("Which wins if both set a variable: environment (default) or esc"),
  "require-esc": source(
    "Fail (125) if ESC cannot be read, instead of continuing without it",
    "Fail if ESC cannot be read",
  ),
  timeout: source("The deadline for reading ESC: 30s (default), 500ms, 2m; a bare number is seconds"),
  session: source(
    "How long the opened ESC environment lives, and credentials that providers make for it: 1h (default), 2h",
  ),
  "insecure-http": source("Allow an http:// backend on another host; the token is then sent unencrypted"),
  cache: source("Keep what ESC gives, encrypted with the token, for when ESC is not available"),
  offline: source("Use what is kept and ask nobody (implies --cache)", "Use the cache of ESC and send no request"),
  "cache-fresh": source("Ask nobody while what is kept is not older than TIME, such as 60s (implies --cache)"),
  "cache-max-age": source("What is older is not used: 24h (default), 30m"),
  fake: source(
    "Fill missing variables with dummy values of the declared formats; ESC is not read",
    "Fill missing variables with dummy values; ESC is not read",
  ),
  contract: contract(
    "The contract; else sophia.contract.json from here upwards, else the built-in one",
    "Use FILE instead of sophia.contract.json",
  ),
  profile: contract(
    "The profile of the contract that applies, such as dev, ci or prod",
    "Apply this profile of the contract, such as prod",
  ),
  scope: contract(
    "Check and pass on only what the contract lists for this process, such as web or worker",
    "Check and pass on only what this process needs",
  ),
  "no-contract": contract("Launch even if the contract is not met", "Start even if the contract is not met"),
  "keep-esc": passing("Pass ESC_ENV, ESC_TOKEN and related variables on to the program"),
  allow: passing("Pass on NAME of a file though it makes programs run code or sends a key elsewhere"),
  "only-declared": passing("From ESC and files, pass on only what the contract declares"),
  pristine: passing("Start from a minimal environment (PATH, HOME, TERM, locale, …) plus what is declared"),
  include: passing("Pass on variables whose names match; from ESC and files only these, and no others are required"),
  exclude: passing("Never pass on variables whose names match, whatever their source; several with commas"),
  mode: launching(
    "exec: become the program; spawn: stay beside it; auto (default): exec if that is safe",
    "exec: become the program; spawn: stay its parent",
  ),
  "kill-after": launching("Kill the program TIME after a forwarded SIGTERM, SIGINT or SIGQUIT; default: never"),
  "die-with-launcher": launching("Kill the program when sophia-run itself is killed by SIGKILL (Linux)"),
  "restore-nofile": launching("Give the program the caller's soft limit of open files, which Node raises (Linux)"),
  watch: launching(
    "Start the program anew when what ESC gives it changes (docs/watch.md)",
    "Restart the program when its values in ESC change",
  ),
  "watch-every": launching("How often to look whether ESC has changed: 30s (default), at least 1s"),
  "watch-signal": launching("What asks the program to end when it is to be started anew; SIGTERM by default"),
  "watch-grace": launching("How long it may take to end until it is killed by SIGKILL: 10s (default)"),
  "audit-log": audit("Record each start in FILE, without values"),
  reason: audit("Why the command runs, for the audit log"),
  redact: output(
    "Show secrets in the program's output as ***: auto (default: in GitHub Actions and under coding agents), always, never, or github (add-mask commands on stderr)",
    "Show secrets in the output as ***: auto, always or never",
  ),
  quiet: output(
    "Report no overridden variables and no other notice; warnings and errors remain",
    "Suppress notices; warnings and errors are still printed",
  ),
  verbose: output("Report on stderr each retry, and where each source was read"),
};

/** The shared options with what they are for, in the order of the help. */
export const DESCRIBED_OPTIONS: Readonly<Record<string, Option>> = Object.fromEntries(
  OPTION_NAMES.map((name) => [name, { ...OPTIONS[name], ...DESCRIPTIONS[name] }]),
);

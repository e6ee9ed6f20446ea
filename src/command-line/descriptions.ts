/**
 * The descriptions of the options that several commands take, for help and completion. A start does not load them.
 *
 *     sophia-run --help         groups, and the options that have a `brief`
 *     sophia-run --help=all     all options with `describe`
 */
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, type Option, type OptionName } from "./options.ts";

export const OPTION_GROUPS = [
  "Sources",
  "Contract",
  "Environment of the program",
  "Launching",
  "Broker",
  "Audit",
  "Output",
] as const;
type OptionGroup = (typeof OPTION_GROUPS)[number];

interface Description {
  readonly group: OptionGroup;
  /** The text for `sophia-run --help`. Only the options that most users need have one. */
  readonly brief: string | undefined;
  /** The text for `--help=all`, the reference and completion. */
  readonly describe: string;
}

/** Returns a function that makes the descriptions of one group. */
const described =
  (group: OptionGroup) =>
  (describe: string, brief?: string): Description => ({ group, describe, brief });
const source = described("Sources");
const contract = described("Contract");
const passing = described("Environment of the program");
const launching = described("Launching");
const broker = described("Broker");
const audit = described("Audit");
const output = described("Output");

export const DESCRIPTIONS: Readonly<Record<OptionName, Description>> = {
  project: source(
    "Look for contract and .env from DIR on, as if started there; the program starts in the working directory",
  ),
  dotenv: source(
    "Read FILE instead of .env (repeatable; later files win; a comma in a name is \\,)",
    "Read FILE instead of .env (repeatable; later files win)",
  ),
  "no-override": source("Do not read .env.override"),
  "secrets-dir": source(
    "Read the files in DIR that are named like declared variables, such as qdrant-api-key (repeatable, or with : between; later folders win)",
  ),
  prefer: source("Source that wins if both set a variable: environment or esc (default: environment)"),
  "require-esc": source("Fail with status 125 if ESC cannot be read, instead of continuing without it"),
  timeout: source("Time limit for reading ESC, such as 500ms or 2m (default: 30s)"),
  session: source("Lifetime of the ESC session and of the dynamic credentials in it, such as 2h (default: 1h)"),
  "insecure-http": source("Allow an http:// backend on another host (the token is sent unencrypted)"),
  cache: source("Cache the values of ESC, encrypted with the token, and use them if ESC is unavailable"),
  offline: source("Use the cache without contacting ESC (implies --cache)"),
  "cache-fresh": source("Use the cache without contacting ESC if it is newer than TIME, such as 60s (implies --cache)"),
  "cache-max-age": source("Ignore a cache that is older than TIME, such as 30m (default: 24h)"),
  fake: source(
    "Replace every secret by a dummy value of its format, fill required variables that are missing, and do not read ESC; --fake=missing only fills, and keeps secrets that a source sets (default: secrets)",
    "Dummies for all secrets, or only what is missing; no ESC",
  ),
  contract: contract(
    "Contract to use (default: sophia.contract.json in this folder or one above it, else the built-in contract)",
    "Use FILE instead of sophia.contract.json",
  ),
  profile: contract(
    "Profile of the contract to apply, such as dev, ci or prod",
    "Profile of the contract to apply, such as prod",
  ),
  scope: contract("Check and pass on only the variables of this scope of the contract, such as web or worker"),
  "no-contract": contract(
    "Continue even if the contract is not met",
    "Start the program even if the contract is not met",
  ),
  "keep-esc": passing("Pass ESC_ENV, ESC_TOKEN and the other settings of ESC on to the program"),
  allow: passing(
    "Pass on the variable NAME of a file even if it can run code or send a key to another server (repeatable)",
  ),
  "only-declared": passing("From ESC and files, pass on only variables that the contract declares"),
  pristine: passing("Pass on only declared variables and a minimal environment (PATH, HOME, TERM, locale, …)"),
  include: passing(
    "From ESC and files, pass on only variables whose names match GLOB; variables that do not match are not required (repeatable)",
  ),
  exclude: passing("Do not pass on variables whose names match GLOB, from any source (repeatable)"),
  mode: launching(
    "How to start the program: exec (replace this process), spawn (stay as its parent), auto (exec if possible; default)",
  ),
  "kill-after": launching("Kill the program TIME after a forwarded SIGTERM, SIGINT or SIGQUIT (default: never)"),
  "die-with-launcher": launching("Kill the program if sophia-run is killed by SIGKILL (Linux)"),
  "restore-nofile": launching(
    "Start the program with the caller's soft limit on open files, which Node.js has raised (Linux)",
  ),
  watch: launching(
    "Restart the program when its values in ESC change (see docs/watch.md)",
    "Restart the program when its values in ESC change",
  ),
  "watch-every": launching("Polling interval of --watch, at least 1s (default: 30s)"),
  "watch-signal": launching("Signal that stops the program before a restart (default: SIGTERM)"),
  "watch-grace": launching("Grace period at a restart, after which SIGKILL follows (default: 10s)"),
  broker: broker(
    "Give the program dummies of its API keys, and put the real ones into its requests (see docs/broker.md)",
    "Give the program dummies of its API keys",
  ),
  "broker-to": broker(
    "Allow a contract that was found to send its keys to ORIGIN, such as https://api.example.com (repeatable)",
  ),
  refresh: broker(
    "Renew credentials of AWS, Google Cloud and Azure, and files of ESC, while the program runs (see docs/secrets.md)",
  ),
  "aws-refresh": broker(
    "Renew AWS credentials of ESC alone while the program runs: its SDKs ask sophia-run for them, on loopback",
  ),
  "broker-except": broker("Give the program the key NAME itself, not a dummy (repeatable)"),
  "broker-listen": broker(
    "Accept the program's requests on ADDRESS or ADDRESS:PORT of this machine, or unix:PATH (default: 127.0.0.1)",
  ),
  "broker-name": broker("Name the broker HOST in the program's variables, such as host.docker.internal"),
  "audit-log": audit("Append a record of the start, get or export to FILE, without values"),
  reason: audit("Reason to record in the audit log"),
  redact: output(
    "Mask secrets in the program's output with ***: auto (in GitHub Actions and under coding agents; default), always, never, or github (write add-mask commands to stderr)",
    "Mask secrets in the output: auto, always, never or github",
  ),
  quiet: output(
    "Suppress notices; warnings and errors are still printed",
    "Suppress notices; warnings and errors are still printed",
  ),
  verbose: output("Print retries and the sources that were read, on stderr"),
};

export const DESCRIBED_OPTIONS: Readonly<Record<string, Option>> = Object.fromEntries(
  OPTION_NAMES.map((name) => [name, { ...OPTIONS[name], ...DESCRIPTIONS[name] }]),
);

export const DESCRIBED_COMMON_OPTIONS: Readonly<Record<keyof typeof COMMON_OPTIONS, Option>> = {
  help: { ...COMMON_OPTIONS.help, describe: "Show help; --help=all shows all options" },
  version: { ...COMMON_OPTIONS.version, describe: "Show version, form and commit" },
};

/** THE table of the commands that take each shared option. A launch does not load it. */
import { COMMAND_NAMES, type CommandName } from "./command-line.ts";
import { OPTION_NAMES, OPTIONS, type OptionName, type OptionForm } from "./options.ts";

export type Taker = "run" | CommandName;

const RESOLVE = ["run", "check", "explain", "get", "export", "scan"] as const;
/** Leaves out `scan`, which also searches for values that are withheld from the program. */
const SELECT = ["run", "check", "explain", "get", "export"] as const;
/** All that give secrets to search for, or to pass on. */
const READ = [...RESOLVE, "mask", "hook"] as const;
const ASK_ESC = [...READ, "import", "set", "rotate", "enforce", "request", "audit", "init"] as const;
const BY_CONTRACT = [...READ, "import", "set", "rotate", "enforce", "audit", "docs"] as const;

export const TAKERS: Readonly<Record<OptionName, readonly Taker[]>> = {
  project: ["run", ...COMMAND_NAMES.filter((name) => !["completion", "link", "login"].includes(name))],
  dotenv: [...ASK_ESC, "allow"],
  "no-override": READ,
  "secrets-dir": READ,
  prefer: RESOLVE,
  "require-esc": ASK_ESC,
  timeout: [...ASK_ESC, "login"],
  session: READ,
  "insecure-http": [...ASK_ESC, "login"],
  cache: READ,
  offline: READ,
  "cache-fresh": READ,
  "cache-max-age": READ,
  fake: SELECT,
  // `request` also reads the .env file in the folder of the contract.
  contract: [...BY_CONTRACT, "request", "allow"],
  profile: [...BY_CONTRACT, "allow"],
  scope: BY_CONTRACT,
  "no-contract": ["run", "get", "export"],
  "keep-esc": SELECT,
  allow: SELECT,
  "only-declared": SELECT,
  pristine: SELECT,
  include: SELECT,
  exclude: SELECT,
  mode: ["run"],
  "kill-after": ["run"],
  "die-with-launcher": ["run"],
  "restore-nofile": ["run"],
  watch: ["run"],
  "watch-every": ["run"],
  "watch-signal": ["run"],
  "watch-grace": ["run"],
  broker: ["run", "check", "explain"],
  "broker-to": ["run", "check", "explain"],
  "broker-except": ["run", "check", "explain"],
  "broker-listen": ["run", "check", "explain"],
  "broker-name": ["run", "check", "explain"],
  refresh: ["run", "check", "explain"],
  "aws-refresh": ["run", "check", "explain"],
  "audit-log": ["run", "get", "export"],
  reason: ["run", "get", "export"],
  redact: ["run"],
  quiet: ASK_ESC,
  verbose: [...ASK_ESC, "link"],
};

/** Returns the shared options that a command takes, in the order of the table. */
export function namesFor(taker: Taker): readonly OptionName[] {
  return OPTION_NAMES.filter((name) => TAKERS[name].includes(taker));
}

export function optionsFor(taker: Taker): Readonly<Record<string, OptionForm>> {
  return Object.fromEntries(namesFor(taker).map((name) => [name, OPTIONS[name]]));
}

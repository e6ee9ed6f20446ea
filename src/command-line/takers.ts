/**
 * The table of the commands that take each shared option, for help, completion and the errors of wrong command lines. The start of a
 * program does not load it.
 */
import { COMMAND_NAMES, type CommandName } from "./command-line.ts";
import { OPTION_NAMES, OPTIONS, type OptionName, type OptionForm } from "./options.ts";

/** A command that takes options; `run` is a start of a program. */
export type Taker = "run" | CommandName;

/** The commands that resolve variables. */
const RESOLVE = ["run", "check", "explain", "get", "export", "scan"] as const;
/** The commands that select what a program gets. `scan` is left out, because it also searches for values that the program does not get. */
const SELECT = ["run", "check", "explain", "get", "export"] as const;
/** The commands that read values: to pass them on, or to search for secrets. */
const READ = [...RESOLVE, "mask", "hook"] as const;
/** The commands that contact the ESC environments of the settings, some of them only to change them. */
const ASK_ESC = [...READ, "import", "set", "rotate", "enforce", "request", "audit", "init"] as const;
/** The commands that take most options about the contract. */
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

/** Returns the shared options that a command takes, in the order of `OPTIONS`. */
export function namesFor(taker: Taker): readonly OptionName[] {
  return OPTION_NAMES.filter((name) => TAKERS[name].includes(taker));
}

/** Returns the same options with their forms. */
export function optionsFor(taker: Taker): Readonly<Record<string, OptionForm>> {
  return Object.fromEntries(namesFor(taker).map((name) => [name, OPTIONS[name]]));
}

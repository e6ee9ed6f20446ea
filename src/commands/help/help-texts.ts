/** The texts that `--help` and docs/reference.md have in common, except for the tables of options and commands. */
import type { CommandName } from "../../command-line/command-line.ts";
import type { CommandDefinition } from "../command.ts";

/** The headings below which the help lists commands, in this order. */
export const COMMAND_GROUPS = ["Start", "Inspect", "Write", "Set up"] as const;

/** The group of each command. `Start` is for commands that handle what goes into a program or comes out of it. */
export const COMMAND_GROUP_BY_NAME: Readonly<Record<CommandName, (typeof COMMAND_GROUPS)[number]>> = {
  get: "Start",
  export: "Start",
  mask: "Start",
  check: "Inspect",
  explain: "Inspect",
  scan: "Inspect",
  audit: "Inspect",
  set: "Write",
  import: "Write",
  rotate: "Write",
  enforce: "Write",
  request: "Write",
  init: "Set up",
  docs: "Set up",
  allow: "Set up",
  login: "Set up",
  link: "Set up",
  hook: "Set up",
  completion: "Set up",
};

export const USAGE_LINES = [
  "sophia-run [options] -- <command> [arguments…]",
  "sophia-run <subcommand> [options]",
  "sophia-run help <subcommand or topic>",
] as const;

/** The usage in one line, for the same reason as `BRIEF_SUMMARY`. */
export const BRIEF_USAGE = "sophia-run [options] -- <command>, or sophia-run <subcommand> [options]";

/** The summary in one line, because all of `--help` must fit on a screen of forty lines. */
export const BRIEF_SUMMARY = "Starts a program with its configuration from Pulumi ESC and .env files, checked.";

const SUMMARY =
  "Starts a program with its configuration from the process environment, Pulumi ESC and .env files, if that configuration meets the contract.";

export const INTRODUCTION =
  `${SUMMARY} If several sources set a variable, the first in this order wins. Options end at --. Without --, they end at the ` +
  "first word that is not an option: a subcommand, or the command to start.";

export const START_EXAMPLES = [
  "sophia-run -- node server.js",
  "ESC_ENV=sophia/dev ESC_TOKEN_FILE=esc-token sophia-run -- python -m app",
  "sophia-run --dotenv .env.local --mode spawn -- make serve",
  "sophia-run check",
] as const;

/** The exit statuses of a start, and of any command if sophia-run itself fails. */
export const START_STATUSES = [
  ["the program's", "the program has ended; if a signal ended it, sophia-run ends by the same signal"],
  ["78", "the contract is not met, and nothing was started"],
  ["125", "sophia-run itself failed"],
  ["126", "the command cannot be executed"],
  ["127", "the command was not found"],
] as const;

/** Returns how a command is written: `get [options] NAME`. */
export function formatCommandForm(name: string, { positional }: CommandDefinition): string {
  return `${name} [options]${positional === undefined ? "" : ` ${positional.form}`}`;
}

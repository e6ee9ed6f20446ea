/** The texts that the help of the program and docs/reference.md share beside the tables of options and commands. */
import type { CommandDefinition } from "./command.ts";

export const USAGES = ["sophia-run [options] -- <command> [arguments…]", "sophia-run <subcommand> [options]"] as const;

export const INTRODUCTION =
  "Starts a program with its configuration from the process environment, Pulumi ESC and .env files, in this order of " +
  "precedence, once it meets the contract. Without -- options end at the first word that is none: a subcommand, or else " +
  "the command.";

export const SUMMARY =
  "Starts a program with its configuration from the environment, Pulumi ESC and .env files, once it meets the contract.";

export const EXAMPLES = [
  "sophia-run -- node server.js",
  "ESC_ENV=sophia/dev ESC_TOKEN_FILE=esc-token sophia-run -- python -m app",
  "sophia-run --dotenv .env.local --mode spawn -- make serve",
  "sophia-run check",
] as const;

export type Statuses = readonly (readonly [status: string, meaning: string])[];

/** The exit statuses of a start; each command has those of sophia-run, too. */
export const STATUSES: Statuses = [
  ["the program's own", "it exited, or dies of the same signal"],
  ["78", "the contract is not met, nothing was started"],
  ["125", "sophia-run itself failed"],
  ["126", "the command cannot be executed"],
  ["127", "it was not found"],
];

export function meaningsOf(statuses: Statuses): string {
  return `Exit status: ${statuses.map(([status, meaning]) => `${status}: ${meaning}`).join("; ")}.`;
}

/** `explain [options] [NAME…]`. */
export function formOf(name: string, { positional }: CommandDefinition): string {
  return `${name} [options]${positional === undefined ? "" : ` ${positional.form}`}`;
}

import type { Option, Values } from "../command-line/options.ts";
import type { Context } from "../core/context.ts";

/** A subcommand: what help and completion show, and the code, which is loaded only when it runs. */
export interface CommandDefinition {
  /** Its purpose in 64 characters at most: one line of the help. */
  readonly describe: string;
  /** Further paragraphs, which `--help=all` and docs/reference.md show. */
  readonly details?: readonly string[];
  readonly positional?: PositionalDefinition;
  readonly options?: Readonly<Record<string, Option>>;
  /** The meaning of each exit status of its own; a failure is 125 in all commands. */
  readonly statuses: Readonly<Record<number, string>>;
  /** The first two stand in `--help`. */
  readonly examples: readonly [string, ...string[]];
  readonly load: () => Promise<Command>;
}

export interface PositionalDefinition {
  readonly form: string;
  readonly least: number;
  readonly most: number;
  /** The remedy for a word too many. */
  readonly excess?: string;
  readonly kind: "variable" | "file" | readonly string[];
}

export interface CommandArguments {
  /** Shared options and the command's own, whose choices are checked. */
  readonly options: Values;
  readonly positionals: readonly string[];
}

export type Command = (args: CommandArguments, context: Context) => Promise<number>;

export const JSON_OPTION: Option = {
  type: "boolean",
  describe: "Print a versioned report for programs; it holds no value",
};

import type { Option, Values } from "../command-line/options.ts";
import type { Context } from "../core/context.ts";

/** A subcommand: the texts of help and completion, and its code, which is loaded only when it runs. */
export interface CommandDefinition {
  /** One line of the help: at most 64 characters, without a full stop. */
  readonly describe: string;
  /** Further paragraphs, which `--help=all` and docs/reference.md show. */
  readonly details?: readonly string[];
  readonly positional?: PositionalDefinition;
  readonly options?: Readonly<Record<string, Option>>;
  /** The meaning of each exit status besides 125, a failure. */
  readonly statuses: Readonly<Record<number, string>>;
  /** Returns the status of a mistake on the command line in place of 125. @param words those behind the command */
  readonly statusOfMistake?: (words: readonly string[]) => number;
  /** `--help` shows the first two, `--help=all` all. */
  readonly examples: readonly [string, ...string[]];
  readonly load: () => Promise<Command>;
}

export interface PositionalDefinition {
  readonly form: string;
  readonly least: number;
  readonly most: number;
  /** The option of the command without which it takes no words. */
  readonly onlyWith?: string;
  readonly kind: "variable" | "file" | readonly string[];
}

export interface CommandArguments {
  /** Shared options and the command's own. Only the choices of the latter are checked. */
  readonly options: Values;
  readonly positionals: readonly string[];
}

export type Command = (args: CommandArguments, context: Context) => Promise<number>;

export const JSON_OPTION: Option = {
  type: "boolean",
  describe: "Print a versioned JSON report, without values",
};

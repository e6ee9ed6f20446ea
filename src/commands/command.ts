/** The shape of a subcommand. Each folder of `commands/` has a `definition.ts` that exports one, and `registry.ts` lists them. */
import type { Option, Values } from "../command-line/options.ts";
import type { Context } from "../core/context.ts";

/**
 * A subcommand of sophia-run: the texts for help and completion, its options and arguments, and a function that loads its
 * code. `dispatch` loads the code of one command only, once the command line is valid.
 */
export interface CommandDefinition {
  /** One line of the help: at most 64 characters, without a full stop. */
  readonly describe: string;
  /** Further paragraphs, which `--help=all` and docs/reference.md show. */
  readonly details?: readonly string[];
  /** The arguments that are not options; absent if the command takes none. */
  readonly positional?: PositionalDefinition;
  /** The command's own options, besides those that commands share (`command-line/takers.ts`). */
  readonly options?: Readonly<Record<string, Option>>;
  /** The meaning of each exit status, except for 125 (sophia-run failed), which means the same for all commands. */
  readonly statuses: Readonly<Record<number, string>>;
  /**
   * Returns the exit status if the command fails with a SophiaError, in place of that error's status. A command needs this if its
   * caller, such as a coding agent, gives 125 another meaning.
   *
   * @param words the words behind the command
   */
  readonly failureStatus?: (words: readonly string[]) => number;
  /** Command lines that work when pasted. `--help` shows the first two, `--help=all` all of them. */
  readonly examples: readonly [string, ...string[]];
  readonly load: () => Promise<Command>;
}

/** The arguments of a command that are not options: `NAME…` in `sophia-run set NAME…`. */
export interface PositionalDefinition {
  /** How the help names the arguments: `NAME`, `[FILE…]`. */
  readonly form: string;
  readonly minCount: number;
  readonly maxCount: number;
  /** An option of the command. Without this option the command takes no arguments. */
  readonly onlyWith?: string;
  /**
   * The words that the shell completes: variables of the contract, files, or a list of words. Words outside of a list are refused.
   */
  readonly kind: "variable" | "file" | readonly string[];
}

/** The checked arguments with which `dispatch` calls a command. */
export interface CommandArguments {
  /** The values of the command's own options and of the shared ones. The shared options are checked by `resolveSettings`. */
  readonly options: Values;
  readonly positionals: readonly string[];
}

/** Runs a subcommand and returns its exit status. @throws SophiaError, which `dispatch` or `main` prints */
export type Command = (args: CommandArguments, context: Context) => Promise<number>;

export const JSON_OPTION: Option = {
  type: "boolean",
  describe: "Print a versioned JSON report, without values",
};

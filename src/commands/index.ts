import type { CommandName } from "../cli.ts";
import type { Context } from "../context.ts";
import type { Flags } from "../options.ts";

/** A subcommand: what the help shows, and the code that is loaded only when it runs. */
export interface CommandDefinition {
  readonly describe: string;
  /** As yargs writes it: `[names..]`. */
  readonly positional?: string;
  readonly options?: Readonly<Record<string, CommandOption>>;
  readonly load: () => Promise<Command>;
}

export interface CommandOption {
  readonly type: "boolean" | "string" | "list";
  readonly describe: string;
  readonly choices?: readonly string[];
}

export interface CommandArguments {
  /** The options of the options table. */
  readonly flags: Flags;
  /** The command's own options. */
  readonly own: Readonly<Record<string, boolean | string | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
}

/** Runs and answers with the exit status of sophia-run. */
export type Command = (args: CommandArguments, context: Context) => Promise<number>;

export const COMMANDS = {
  check: {
    describe: "Check that the configuration meets the contract; nothing is started",
    options: {
      json: { type: "boolean", describe: "Print a versioned report for programs; it holds no value" },
    },
    load: async () => (await import("./check.ts")).check,
  },
} satisfies Partial<Record<CommandName, CommandDefinition>>;

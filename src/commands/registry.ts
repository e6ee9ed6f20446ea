import type { CommandName } from "../command-line/command-line.ts";
import type { OptionShape, Values } from "../command-line/parse.ts";
import type { Context } from "../core/context.ts";
import type { Flags, OptionGroup } from "../command-line/options.ts";

/** A subcommand: what help and completion show, and the code that is loaded only when it runs. */
export interface CommandDefinition {
  /** One line: what it is for. */
  readonly describe: string;
  /** Further paragraphs of its help. */
  readonly details?: readonly string[];
  readonly positional?: Positional;
  readonly options?: Readonly<Record<string, CommandOption>>;
  /** The groups of the options table that its help shows. */
  readonly groups: readonly OptionGroup[];
  readonly examples: readonly string[];
  readonly load: () => Promise<Command>;
}

/** The words of a subcommand that are no options. */
export interface Positional {
  /** As the help writes it: `[NAME…]`. */
  readonly form: string;
  readonly least: number;
  readonly most: number;
  /** What completion offers. */
  readonly kind: "variable" | "file" | readonly string[];
}

export interface CommandOption extends OptionShape {
  readonly describe: string;
  /** What the help calls the value; `FILE` is completed with the names of files. */
  readonly value?: string;
  readonly choices?: readonly string[];
}

export interface CommandArguments {
  /** The options of the options table. */
  readonly flags: Flags;
  /** The command's own options; choices are checked. */
  readonly own: Values;
  readonly positionals: readonly string[];
}

/** Runs and answers with the exit status of sophia-run. */
export type Command = (args: CommandArguments, context: Context) => Promise<number>;

const JSON_OPTION: CommandOption = {
  type: "boolean",
  describe: "Print a versioned report for programs; it holds no value",
};

const EXPLAIN: CommandDefinition = {
  describe: "Show where each variable comes from, what it hides and which rule it serves",
  details: [
    "Without names: every variable that the contract declares, and what ESC and files give besides. No value is ever " +
      "shown. Variables of the process environment that nobody declared are counted; --all lists them too.",
  ],
  positional: { form: "[NAME…]", least: 0, most: Infinity, kind: "variable" },
  options: {
    all: { type: "boolean", describe: "List undeclared variables of the process environment too" },
    json: JSON_OPTION,
  },
  groups: ["Sources", "Contract", "Environment of the program", "Output"],
  examples: ["sophia-run explain", "sophia-run explain QDRANT_URL DATABASE_URL", "sophia-run explain --all --json"],
  load: async () => (await import("./explain/explain.ts")).explain,
};

const EXPORT: CommandDefinition = {
  describe: "Print the configuration for other programs",
  details: [
    "Prints the variables that sophia-run adds (from ESC, files and the contract's defaults) and those that the " +
      "contract declares, wherever they come from; not the rest of the process environment. The contract is checked " +
      "first, as for a run. Values of ESC's `files` are not printed: a program started by sophia-run gets them as files.",
    "A value that a format, or one of the programs that read it, cannot hold is refused by name (125); nothing is " +
      "printed then. dotenv: read alike by dotenv for Node.js, node --env-file and python-dotenv. shell: for eval or " +
      "source in bash, dash, zsh and other POSIX shells. docker: for docker run --env-file.",
    "github: for later steps of a GitHub Actions job. Appends to the file that GITHUB_ENV names and prints an " +
      "add-mask command for each line of a secret; where standard output is that file, the commands go to standard " +
      "error, which the runner reads as well. Without GITHUB_ENV all goes to standard output.",
    "Secrets are not printed to a terminal unless --reveal is given.",
  ],
  options: {
    format: {
      type: "string",
      choices: ["dotenv", "shell", "json", "github", "docker"],
      value: "FORMAT",
      describe: "dotenv (default), shell, json, github or docker",
    },
    reveal: { type: "boolean", describe: "Print to a terminal all the same" },
  },
  groups: ["Sources", "Contract", "Environment of the program", "Output"],
  examples: [
    "sophia-run export > .env.local",
    'eval "$(sophia-run export --format shell)"',
    "sophia-run export --format json | jq keys",
    "docker run --env-file <(sophia-run export --format docker) image",
    "sophia-run export --format github",
  ],
  load: async () => (await import("./export/export.ts")).exportVariables,
};

const DOCS: CommandDefinition = {
  describe: "Write SECRETS.md, .env.example and env.d.ts from the contract",
  details: [
    "Each stands beside the contract unless it is named. A name tells what is written: *.md gets the contract's " +
      "section, between two markers (at the end where there are none; the rest stays as it is); *.d.ts gets types " +
      "for process.env; .env.example, or any other name, gets every variable with what it is for.",
    "With --check nothing is written: status 1 where a file differs from what would be written, or is missing. " +
      "A file that sophia-run did not write is replaced only with --force.",
  ],
  positional: { form: "[FILE…]", least: 0, most: Infinity, kind: "file" },
  options: {
    check: { type: "boolean", describe: "Only compare; status 1 where a file is out of date" },
    force: { type: "boolean", describe: "Replace files that sophia-run did not write" },
  },
  groups: ["Contract"],
  examples: ["sophia-run docs", "sophia-run docs --check", "sophia-run docs docs/SECRETS.md src/env.d.ts"],
  load: async () => (await import("./docs/docs.ts")).docs,
};

const INIT: CommandDefinition = {
  describe: "Start a contract for this folder, and show the three places of use",
  details: [
    "Writes sophia.contract.json from .env.example, from the ESC environment (names only), or from the variables that " +
      "the code reads; without --from, the first of these that gives any. Then the places of use: npm scripts, " +
      "Dockerfile, devcontainer. No file is overwritten: what is missing is created, for what exists the lines to " +
      "add are printed.",
  ],
  options: {
    from: {
      type: "list",
      choices: ["example", "esc", "code"],
      value: "SOURCE",
      describe: "example, esc or code; repeatable, what they give is joined",
    },
    "edit-scripts": {
      type: "boolean",
      describe: "Put sophia-run in front of the start, dev and serve scripts of package.json",
    },
  },
  groups: ["Sources"],
  examples: ["sophia-run init", "sophia-run init --from code --from example", "sophia-run init --edit-scripts"],
  load: async () => (await import("./init/init.ts")).init,
};

const COMPLETION: CommandDefinition = {
  describe: "Print a completion script for a shell",
  details: [
    "It completes subcommands, options, their values and, for explain, the names of the contract's variables; behind " +
      "-- the shell's own completion of the command takes over.",
  ],
  positional: { form: "SHELL", least: 1, most: 1, kind: ["bash", "zsh", "fish"] },
  groups: [],
  examples: [
    "sophia-run completion bash >> ~/.bashrc",
    "sophia-run completion zsh > ~/.zfunc/_sophia-run   (a folder of your fpath)",
    "sophia-run completion fish > ~/.config/fish/completions/sophia-run.fish",
  ],
  load: async () => (await import("./completion/completion.ts")).completion,
};

const CHECK: CommandDefinition = {
  describe: "Check that the configuration meets the contract; nothing is started",
  details: [
    "Shows where ESC stands, each variable of the contract with its value masked, and what to do about each rule " +
      "that is not met. Exit status: 0; 1 where the contract is not met.",
    "With --against nothing is opened and no credentials are minted: one table tells which of the environments sets " +
      "which variable, from ESC alone. What is secret, or comes from a provider, is told as set with its value not " +
      "known, and counts as valid. Exit status: 1 where a variable is set in one environment and missing in another, " +
      "or one of them surely does not meet the contract.",
  ],
  options: {
    against: {
      type: "string",
      value: "ENV,ENV…",
      describe: "Compare these ESC environments with each other, such as sophia/dev,sophia/prod",
    },
    json: JSON_OPTION,
  },
  groups: ["Sources", "Contract", "Environment of the program", "Output"],
  examples: [
    "sophia-run check",
    "sophia-run check --profile prod --json",
    "sophia-run check --against sophia/dev,sophia/staging,sophia/prod",
  ],
  load: async () => (await import("./check/check.ts")).check,
};

/** Every subcommand, in the order of the help. */
export const COMMANDS: Readonly<Record<CommandName, CommandDefinition>> = {
  check: CHECK,
  explain: EXPLAIN,
  export: EXPORT,
  docs: DOCS,
  init: INIT,
  completion: COMPLETION,
};

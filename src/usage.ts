import yargs, { type Argv, type Options } from "yargs";
import { COMMANDS, type CommandArguments, type CommandDefinition } from "./commands/index.ts";
import type { Context } from "./context.ts";
import { ExitStatus, SophiaError } from "./error.ts";
import { definition, OPTION_NAMES, type Flags } from "./options.ts";

declare const SOPHIA_RUN_VERSION: string;

const USAGE = `sophia-run [options] -- <command> [arguments…]
sophia-run <subcommand> [options]

Starts a program with its configuration from the process environment, Pulumi ESC and
.env files, in this order of precedence, once it meets the contract.`;

const EPILOGUE = `Each option can be set by the variable in brackets; the command line wins.

Exit status: the program's own; 78: the contract is not met; 125: sophia-run failed;
126: the command cannot be executed; 127: it was not found. check: 0 or 1.

Examples:
  sophia-run -- node server.js
  ESC_ENV=sophia/dev ESC_TOKEN=… sophia-run -- python -m app
  sophia-run --env-file .env.local --mode spawn -- make serve
  sophia-run check --json`;

/**
 * Everything but a launch: subcommands, `--help`, `--version` and completion, with the full parser.
 *
 * @returns the exit status
 * @throws SophiaError (usage, 125)
 */
export async function runOther(argv: readonly string[], context: Context): Promise<number> {
  const parser = build();
  let output = "";
  let problem: string | undefined;
  const parsed: Readonly<Record<string, unknown>> = await parser.parseAsync([...argv], {}, (error, _argv, text) => {
    output = text;
    if (error !== undefined && error !== null) problem = error.message;
  });
  if (problem !== undefined) throw usage(problem);
  if (output !== "") {
    context.out(`${output}\n`);
    return ExitStatus.ok;
  }
  const [name, ...positionals] = Array.isArray(parsed["_"]) ? parsed["_"].map(String) : [];
  const command = commandNamed(name);
  if (command === undefined) throw usage(`unknown subcommand ${name ?? ""}`);
  const run = await command.load();
  return run(argumentsOf(command, parsed, positionals), context);
}

function commandNamed(name: string | undefined): CommandDefinition | undefined {
  const commands: Readonly<Record<string, CommandDefinition>> = COMMANDS;
  return name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
}

function build(): Argv {
  const parser = yargs([])
    .scriptName("sophia-run")
    .locale("en")
    .usage(USAGE)
    .epilogue(EPILOGUE)
    .parserConfiguration({ "boolean-negation": false, "greedy-arrays": false, "camel-case-expansion": false })
    .help("help")
    .alias("help", "h")
    .version(typeof SOPHIA_RUN_VERSION === "string" ? SOPHIA_RUN_VERSION : "0.0.0")
    .alias("version", "V")
    .strict()
    .exitProcess(false)
    .wrap(100);
  for (const name of OPTION_NAMES) {
    const { variable, type, short, choices, group, describe } = definition(name);
    parser.option(name, {
      ...optionType(type),
      group: `${group}:`,
      describe: `${describe}  [${variable}]`,
      ...(short === undefined ? {} : { alias: short }),
      ...(choices === undefined ? {} : { choices }),
    });
  }
  for (const [name, command] of Object.entries<CommandDefinition>(COMMANDS)) {
    const form = command.positional === undefined ? name : `${name} ${command.positional}`;
    parser.command(form, command.describe, (sub) => {
      for (const [option, { type, describe, choices }] of Object.entries(command.options ?? {})) {
        sub.option(option, { ...optionType(type), describe, ...(choices === undefined ? {} : { choices }) });
      }
      return sub;
    });
  }
  return parser;
}

function optionType(type: "boolean" | "string" | "list"): Options {
  if (type === "boolean") return { type: "boolean" };
  return type === "list"
    ? { type: "string", array: true, requiresArg: true }
    : // The last one counts, as on the launching command line.
      { type: "string", requiresArg: true, coerce: (value: unknown) => (Array.isArray(value) ? value.at(-1) : value) };
}

function argumentsOf(
  command: CommandDefinition,
  parsed: Readonly<Record<string, unknown>>,
  positionals: readonly string[],
): CommandArguments {
  const pick = (names: readonly string[]): Record<string, boolean | string | readonly string[]> => {
    const picked: Record<string, boolean | string | readonly string[]> = {};
    for (const name of names) {
      const value = parsed[name];
      if (typeof value === "boolean" || typeof value === "string") picked[name] = value;
      else if (Array.isArray(value)) picked[name] = value.map(String);
    }
    return picked;
  };
  const named = /\[(\w+)\.\.\]|\[(\w+)\]/.exec(command.positional ?? "");
  const list = parsed[named?.[1] ?? named?.[2] ?? ""];
  const flags: Flags = pick(OPTION_NAMES);
  return {
    flags,
    own: pick(Object.keys(command.options ?? {})),
    positionals: [...(Array.isArray(list) ? list.map(String) : typeof list === "string" ? [list] : []), ...positionals],
  };
}

function usage(message: string): SophiaError {
  const [first = ""] = message.split("\n");
  return new SophiaError({
    code: "usage",
    message: first.charAt(0).toLowerCase() + first.slice(1),
    hint: "sophia-run --help shows what is possible",
  });
}

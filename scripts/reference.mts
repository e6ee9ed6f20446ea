/**
 * `npm run docs`: writes docs/reference.md from the tables of the command line and its help. `--check` only compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "oxfmt";
import {
  DESCRIBED_COMMON_OPTIONS,
  DESCRIBED_OPTIONS,
  DESCRIPTIONS,
  OPTION_GROUPS,
} from "../src/command-line/descriptions.ts";
import { OPTION_NAMES, variableOf, type Option } from "../src/command-line/options.ts";
import { COMMAND_NAMES, type CommandName } from "../src/command-line/command-line.ts";
import { namesFor } from "../src/command-line/takers.ts";
import type { CommandDefinition } from "../src/commands/command.ts";
import {
  COMMAND_GROUPS,
  START_EXAMPLES,
  formatCommandForm,
  COMMAND_GROUP_BY_NAME,
  INTRODUCTION,
  START_STATUSES,
  USAGE_LINES,
} from "../src/commands/help/help-texts.ts";
import { TOPIC_NAMES } from "../src/commands/help/topics.ts";
import { enumerate } from "../src/core/text.ts";
import { FOUND_ENVIRONMENT_HELP, WRITE_TOKEN_HELP } from "../src/commands/parts/writing/write-options.ts";
import { COMMANDS } from "../src/commands/registry.ts";
import { ESC_VARIABLES } from "../src/esc/settings/own-variables.ts";
import { FAILURE_CODES } from "../src/core/failure-codes.ts";

const PATH = join(import.meta.dirname, "../docs/reference.md");

/** The variables that sophia-run reads, without those of options. */
const OTHER_VARIABLES = new Map([
  ["ESC_ENV", "the ESC environment to open, such as `sophia/dev`; several with commas, later ones win"],
  ["ESC_TOKEN", "the access token that opens it"],
  ["ESC_TOKEN_FILE", "a file with this token"],
  ["ESC_TOKEN_COMMAND", "a command that prints it; read from the environment alone"],
  ["ESC_OIDC_TOKEN_FILE", "a file with an ID token, which is exchanged for an access token"],
  [
    "ESC_OIDC_ORG",
    "the organization for which an ID token is exchanged; alone, the ID token is that of the GitHub Actions job",
  ],
  ["ESC_OIDC_TYPE", "the kind of access token: `organization`, `team` or `personal`"],
  ["ESC_OIDC_SCOPE", "the scope of that access token"],
  ["ESC_OIDC_EXPIRATION", "the lifetime of that access token, in seconds"],
  ["ESC_ORG", "the organization of environments that are named without one"],
  [
    "SOPHIA_ALLOW_ENVIRONMENT",
    "environments that files may name, such as `acme/sophia/dev,acme/other/*`; read from the environment alone",
  ],
  ["ESC_ADMIN_TOKEN", "the token for commands that write to ESC; it is never passed on"],
  ["PULUMI_BACKEND_URL", "the service (default: https://api.pulumi.com)"],
  [
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
    "proxies for requests to the service; also in lower case. `ALL_PROXY` is not used",
  ],
  ["SSL_CERT_FILE, NODE_EXTRA_CA_CERTS", "a PEM file with further certificate authorities"],
  ["NO_COLOR", "any value: no colours"],
  [
    "FORCE_COLOR",
    "empty, `1`, `2`, `3` or `true`: colours, even without a terminal; else no colours. It wins over NO_COLOR",
  ],
  ["TERM", "`dumb`, or not set: no colours"],
]);
const missing = ESC_VARIABLES.filter((name) => !OTHER_VARIABLES.has(name));
if (missing.length > 0) throw new Error(`the reference does not describe ${missing.join(", ")}`);

/** The commands whose common paragraphs and shared options the page has only once. */
const WRITING_COMMANDS = COMMAND_NAMES.filter((name) => COMMANDS[name].details?.includes(FOUND_ENVIRONMENT_HELP));

type Entry = readonly [term: string, meaning: string];

/** The options and the exit statuses that all commands that write to ESC have, as lines. */
const COMMON_WRITING_OPTIONS = commonWritingLines(optionLines);
const COMMON_WRITING_STATUSES = commonWritingLines(statusLines);

function commonWritingLines(linesOf: (definition: CommandDefinition) => readonly string[]): readonly string[] {
  return WRITING_COMMANDS.map((name) => linesOf(COMMANDS[name])).reduce((common, lines) =>
    common.filter((line) => lines.includes(line)),
  );
}

function entryLines(list: readonly Entry[]): readonly string[] {
  return list.map(([term, meaning]) => `- ${term}: ${meaning}`);
}

function entries(list: readonly Entry[]): string {
  return entryLines(list).join("\n");
}

function shell(lines: readonly string[]): string {
  return ["```sh", ...lines, "```"].join("\n");
}

/** `-q, --quiet`, `--mode auto|spawn|exec`, `--dotenv FILE`. */
function written(name: string, { type, short, value, choices, alone }: Option): string {
  const values = type === "boolean" ? "" : (choices?.join("|") ?? value ?? "VALUE");
  const behind = values === "" ? "" : alone === undefined ? ` ${values}` : `[=${values}]`;
  return `${short === undefined ? "" : `\`-${short}\`, `}\`--${name}${behind}\``;
}

/** Angle brackets and stars would be read as Markdown. */
function text(words: string): string {
  return words.replaceAll(/[<*]/g, String.raw`\$&`);
}

function optionLines({ options = {} }: Pick<CommandDefinition, "options">): readonly string[] {
  return entryLines(Object.entries(options).map(([name, option]) => [written(name, option), text(option.describe)]));
}

function statusLines({ statuses }: CommandDefinition): readonly string[] {
  return entryLines(statusEntries(Object.entries(statuses)));
}

function command(name: CommandName, definition: CommandDefinition): string {
  const { describe, examples } = definition;
  const isWriting = WRITING_COMMANDS.includes(name);
  const options = optionLines(definition).filter((line) => !isWriting || !COMMON_WRITING_OPTIONS.includes(line));
  const statuses = statusLines(definition).filter((line) => !isWriting || !COMMON_WRITING_STATUSES.includes(line));
  return [
    `### ${name}`,
    `\`sophia-run ${formatCommandForm(name, definition)}\``,
    `${text(describe)}.`,
    ...(isWriting ? ownDetails(definition) : (definition.details ?? [])).map(text),
    ...(options.length === 0 ? [] : [options.join("\n")]),
    ...(isWriting
      ? ["Token, further options and statuses: [commands that write to ESC](#commands-that-write-to-esc)."]
      : describeSharedOptions(name)),
    `Exit statuses:\n\n${statuses.join("\n")}`,
    shell(examples),
  ].join("\n\n");
}

/** Returns the paragraphs of a command that writes to ESC, without what such commands have in common. */
function ownDetails({ details = [] }: CommandDefinition): readonly string[] {
  return details
    .filter((detail) => detail !== FOUND_ENVIRONMENT_HELP)
    .map((detail) => detail.replace(WRITE_TOKEN_HELP, "").trim())
    .filter((detail) => detail !== "");
}

/** Returns what the commands that write to ESC have in common. @throws Error if their shared options differ */
function describeWriting(): readonly string[] {
  const [shared = "", ...others] = new Set(WRITING_COMMANDS.map((name) => sharedOptionsOf(name).join("; ")));
  if (others.length > 0) throw new Error("the commands that write to ESC take different shared options");
  return [
    "### Commands that write to ESC",
    `${enumerate(WRITING_COMMANDS.map((name) => `[${name}](#${anchor(name)})`))} have this in common. ${WRITE_TOKEN_HELP}`,
    text(FOUND_ENVIRONMENT_HELP),
    COMMON_WRITING_OPTIONS.join("\n"),
    `Shared options: ${shared}.`,
    `Exit statuses:\n\n${COMMON_WRITING_STATUSES.join("\n")}`,
  ];
}

/** Describes the shared options of a command, or names the first command that takes the same ones if the page has it before. */
function describeSharedOptions(name: CommandName): readonly string[] {
  const shared = sharedOptionsOf(name).join("; ");
  if (shared === "") return [];
  const others = COMMAND_NAMES.slice(0, COMMAND_NAMES.indexOf(name)).filter(
    (other) => !WRITING_COMMANDS.includes(other),
  );
  const first = others.find((other) => sharedOptionsOf(other).join("; ") === shared);
  return [`Shared options: ${first === undefined ? shared : `those of [${first}](#${anchor(first)})`}.`];
}

/** Describes the shared options that a command takes. */
function sharedOptionsOf(name: CommandName): readonly string[] {
  const taken = namesFor(name).filter((option) => !Object.hasOwn(COMMANDS[name].options ?? {}, option));
  return OPTION_GROUPS.flatMap((group) => describeShared(group, taken));
}

/** Names the options of a group that a command takes: the group as a whole if possible, since most commands take most options. */
function describeShared(group: string, taken: readonly string[]): readonly string[] {
  const link = `[${group}](#${anchor(group)})`;
  const listed = (names: readonly string[]): string => enumerate(names.map((name) => `\`--${name}\``));
  const names = OPTION_NAMES.filter((name) => DESCRIPTIONS[name].group === group);
  const others = names.filter((name) => !taken.includes(name));
  const own = names.filter((name) => taken.includes(name));
  if (own.length === 0) return [];
  if (others.length === 0) return [link];
  return [others.length < own.length ? `${link} without ${listed(others)}` : `${listed(own)} of ${link}`];
}

function statusEntries(statuses: readonly Entry[]): readonly Entry[] {
  return statuses.map(([status, meaning]): Entry => [`\`${status}\``, text(meaning)]);
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(" ", "-");
}

function sharedOptions(): readonly string[] {
  return OPTION_GROUPS.map((group) => {
    const names = OPTION_NAMES.filter((name) => DESCRIPTIONS[name].group === group);
    const rows = names.map((name): [string, string] => {
      const option = DESCRIBED_OPTIONS[name];
      if (option === undefined) throw new Error(`no description of --${name}`);
      return [`${written(name, option)}, \`${variableOf(name)}\``, text(option.describe)];
    });
    return `### ${group}\n\n${entries(rows)}`;
  });
}

const wanted = [
  "# Reference",
  "<!-- made by npm run docs; do not edit -->",
  text(
    "Every command, option, variable, exit status and failure code. Pulumi ESC (Environments, Secrets, and Configuration) is called ESC.",
  ),
  "## Starting a program",
  shell(USAGE_LINES),
  text(INTRODUCTION.replaceAll("\n", " ")),
  shell(START_EXAMPLES),
  "## Options",
  "The command line wins over the variable, the variable over the default. An empty variable is unset. Switches take " +
    "`1`, `true`, `yes`, `on` and `0`, `false`, `no`, `off`. The variable of a repeatable option takes several values, " +
    "with commas between them. A time is `30s`, `500ms`, `2m` or `1h`; a bare number is " +
    "seconds. Only the process environment sets these variables: they have no effect in a `.env` file, and no program " +
    "gets them from ESC, from a file or from the contract.",
  ...sharedOptions(),
  `### Everywhere\n\n${optionLines({ options: DESCRIBED_COMMON_OPTIONS }).join("\n")}`,
  "## Commands",
  "Each command has its own options and takes the shared options that it names. Other options are an error (125). " +
    "`sophia-run help COMMAND` shows the command's own options, `--help=all` all of them.",
  `\`sophia-run help TOPIC\` explains what several of them share: ${enumerate(TOPIC_NAMES)}.`,
  entries(
    COMMAND_GROUPS.map((group) => {
      const names = COMMAND_NAMES.filter((name) => COMMAND_GROUP_BY_NAME[name] === group);
      return [group, names.map((name) => `[${name}](#${anchor(name)})`).join(", ")] as const;
    }),
  ),
  ...describeWriting(),
  ...COMMAND_NAMES.map((name) => command(name, COMMANDS[name])),
  "## Other variables",
  entries(Array.from(OTHER_VARIABLES, ([name, meaning]) => [`\`${name}\``, text(meaning)])),
  "## Exit statuses",
  "The other commands have their own, above.",
  entries(statusEntries(START_STATUSES)),
  "## Failure codes",
  "For programs: `check --json` has the code of ESC's failure at `esc.failure.code`. Codes stay if the wording changes.",
  entries(Object.entries(FAILURE_CODES).map(([code, meaning]) => [`\`${code}\``, text(meaning)])),
  "<!-- end -->",
  "",
].join("\n\n");
const { code: page } = await format("reference.md", wanted, { printWidth: 120, proseWrap: "always" });

if (!process.argv.includes("--check")) writeFileSync(PATH, page);
else if (readFileSync(PATH, "utf8") !== page) {
  process.stderr.write("docs/reference.md is out of date\n  npm run docs\n");
  process.exitCode = 1;
}

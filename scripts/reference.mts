/**
 * `npm run docs`: writes docs/reference.md from the tables of which the command line and its help are made. `--check` only
 * compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "oxfmt";
import { DESCRIBED_OPTIONS, DESCRIPTIONS, OPTION_GROUPS } from "../src/command-line/descriptions.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, variableOf, type Option } from "../src/command-line/options.ts";
import { COMMAND_NAMES, type CommandName } from "../src/command-line/command-line.ts";
import { namesFor } from "../src/command-line/takers.ts";
import type { CommandDefinition } from "../src/commands/command.ts";
import { EXAMPLES, formOf, INTRODUCTION, STATUSES, USAGES } from "../src/commands/help-texts.ts";
import { COMMANDS } from "../src/commands/registry.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../src/esc/settings/own-variables.ts";
import { FAILURE_CODES } from "../src/core/failure-codes.ts";

const PATH = join(import.meta.dirname, "../docs/reference.md");

/** What it reads of its environment beside the variables of options. */
const SURROUNDINGS = new Map([
  ["ESC_ENV", "the ESC environment to open, such as `sophia/dev`; several with commas, later ones win"],
  ["ESC_TOKEN", "the access token that opens it"],
  ["ESC_TOKEN_FILE", "a file with this token"],
  ["ESC_OIDC_TOKEN_FILE", "a file with an ID token, which is exchanged for an access token"],
  ["ESC_OIDC_ORG", "the organization for which an ID token is exchanged; alone: that of the job of GitHub Actions"],
  ["ESC_OIDC_TYPE", "the kind of access token to exchange it for"],
  ["ESC_OIDC_SCOPE", "its scope"],
  ["ESC_OIDC_EXPIRATION", "how long it lives"],
  ["ESC_ORG", "the organization of environments that are named without one"],
  ["ESC_ADMIN_TOKEN", "the token for commands that write to ESC; no program gets it"],
  ["PULUMI_BACKEND_URL", "the service, in place of https://api.pulumi.com"],
  ["HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "proxies for the requests to the service, in small letters, too"],
  ["SSL_CERT_FILE, NODE_EXTRA_CA_CERTS", "a PEM file with further certificate authorities"],
  ["NO_COLOR", "any value: no colours"],
  [
    "FORCE_COLOR",
    "empty, `1`, `2`, `3` or `true`: colours, even where no terminal is; anything else: none. It goes before NO_COLOR",
  ],
  ["TERM", "`dumb`, or not set: no colours"],
]);
const missing = [...WITHHELD_VARIABLES, ADMIN_TOKEN].filter((name) => !SURROUNDINGS.has(name));
if (missing.length > 0) throw new Error(`the reference does not describe ${missing.join(", ")}`);

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
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

function ownOptions(options: Readonly<Record<string, Option>>): string {
  return table(
    ["option", "what it does"],
    Object.entries(options).map(([name, option]) => [written(name, option), text(option.describe)]),
  );
}

function command(name: CommandName, definition: CommandDefinition): string {
  const { describe, details = [], options = {}, statuses, examples } = definition;
  const used = namesFor(name);
  const shared = OPTION_GROUPS.map((group) => {
    const own = used.filter((one) => DESCRIPTIONS[one].group === group && !Object.hasOwn(options, one));
    const names = own.map((one) => `\`--${one}\``).join(", ");
    return names === "" ? "" : `- [${group}](#${anchor(group)}): ${names}`;
  }).filter((line) => line !== "");
  return [
    `### ${name}`,
    `\`sophia-run ${formOf(name, definition)}\``,
    `${text(describe)}.`,
    ...details.map(text),
    ...(Object.keys(options).length === 0 ? [] : [ownOptions(options)]),
    ...(shared.length === 0 ? [] : [`It takes these options as well:\n\n${shared.join("\n")}`]),
    table(["exit status", "meaning"], Object.entries(statuses)),
    shell(examples),
  ].join("\n\n");
}

function anchor(title: string): string {
  return title.toLowerCase().replaceAll(" ", "-");
}

function sharedOptions(): readonly string[] {
  return OPTION_GROUPS.map((group) => {
    const names = OPTION_NAMES.filter((name) => DESCRIPTIONS[name].group === group);
    const rows = names.map((name) => {
      const option = DESCRIBED_OPTIONS[name];
      if (option === undefined) throw new Error(`no description of --${name}`);
      const several = OPTIONS[name].type === "list" ? ", several with commas" : "";
      return [written(name, option), `\`${variableOf(name)}\`${several}`, text(option.describe)];
    });
    return `### ${group}\n\n${table(["option", "variable", "what it does"], rows)}`;
  });
}

const wanted = [
  "# Reference",
  "Every command, option, variable, exit status and code of a failure. `npm run docs` writes this page from the tables of " +
    "which the program itself and its `--help` are made.",
  "## Starting a program",
  shell(USAGES),
  text(INTRODUCTION.replaceAll("\n", " ")),
  shell(EXAMPLES),
  "## Options",
  "The command line wins over the variable, the variable over the default. An empty variable counts as unset; what is on " +
    "or off takes `1`, `true`, `yes`, `on` and `0`, `false`, `no`, `off`. A time is `30s`, `500ms`, `2m` or `1h`; a bare " +
    "number is seconds. None of these variables counts in a `.env` file.",
  ...sharedOptions(),
  `### Everywhere\n\n${ownOptions(COMMON_OPTIONS)}`,
  "## Commands",
  "Each has options of its own, and takes those of the options above that are named with it. An option that it cannot use " +
    "is an error (125). `sophia-run help COMMAND` shows its own options, `--help=all` all of them.",
  ...COMMAND_NAMES.map((name) => command(name, COMMANDS[name])),
  "## Variables of its surroundings",
  table(
    ["variable", "what it does"],
    Array.from(SURROUNDINGS, ([name, what]) => [`\`${name}\``, text(what)]),
  ),
  "## Exit statuses",
  "The statuses of the commands stand with them.",
  table(["exit status", "meaning"], STATUSES),
  "## Codes of failures",
  "Each failure has one, for programs: `check --json` names that of ESC at `esc.failure.code`. Codes stay when the words change.",
  table(
    ["code", "meaning"],
    Object.entries(FAILURE_CODES).map(([code, meaning]) => [`\`${code}\``, text(meaning)]),
  ),
  "",
].join("\n\n");
const { code: page } = await format("reference.md", wanted);

if (!process.argv.includes("--check")) writeFileSync(PATH, page);
else if (readFileSync(PATH, "utf8") !== page) {
  process.stderr.write("docs/reference.md is not what the tables say; npm run docs writes it anew\n");
  process.exitCode = 1;
}

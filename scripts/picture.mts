/**
 * `npm run docs`: draws the pictures of the documents. docs/demo.svg is a terminal with real runs in a project that has a `.env`;
 * docs/sources.svg is the way of a value, in the order of precedence that a start has. `--check` only compares.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type Command, commandLine, ending, run } from "./demo/command.ts";
import { CONTRACT, CORRECT_ENV, openProject } from "./demo/project.ts";
import { list, parse, property } from "./demo/json.ts";
import { drawSources } from "./picture/sources.ts";
import { drawTerminal, type Moment, type TerminalLine } from "./picture/terminal.ts";

const docs = join(import.meta.dirname, "../docs");

/** Draws the commands as they end in the project. */
async function drawDemo(): Promise<string> {
  const project = openProject();
  const terminal = { ...project, environment: { ...project.environment, FORCE_COLOR: "1" } };
  const moments: Moment[] = [];
  const show = (seconds: number, kind: TerminalLine["kind"], ...texts: readonly string[]): void => {
    moments.push({ seconds, lines: texts.map((text) => ({ text, kind })) });
  };
  const play = async (
    command: Command,
    seconds: number,
    { status = 0, isShort = false, isMasked = false } = {},
  ): Promise<void> => {
    const ended = await run(command, terminal);
    if (ended.status !== status) throw new Error(`${commandLine(command)}: ${ending(ended)}\n${ended.stderr}`);
    // Once something is masked, a message says so.
    const texts = isMasked ? [ended.stdout, ended.stderr] : [ended.stderr, ended.stdout];
    const output = texts.join("").trimEnd().split("\n");
    show(0.3, "command", `$ ${commandLine(command)}`);
    // `init` prints the lines to add to other files behind an empty one.
    const end = isShort ? output.indexOf("") : -1;
    const shown = end === -1 ? output : [...output.slice(0, end), "  …"];
    show(status === 0 ? seconds : 0.1, "output", ...shown);
    if (status !== 0) show(seconds, "aside", `→ ${ending(ended)}`);
  };
  const start: Command = { words: ["sophia-run", "--", "node", "app.js"] };
  try {
    await play({ words: ["cat", ".env"] }, 2);
    show(0.2, "output", "");
    await play({ words: ["sophia-run", "init"] }, 2.5, { isShort: true });
    project.edit("sophia.contract.json", CONTRACT);
    show(0.5, "aside", "", "# in the editor: which variables are required, and their formats");
    await play({ words: ["cat", "sophia.contract.json"] }, 2);
    show(0.2, "output", "");
    const lastFrom = moments.length;
    await play(start, 4, { status: 78 });
    project.edit(".env", CORRECT_ENV);
    show(1.5, "aside", "", "# in the editor: the port corrected, the key added");
    await play(start, 2);
    show(1, "aside", "", "# a coding agent starts a command: what it reads is masked");
    await play({ variables: { CLAUDECODE: "1" }, words: ["sophia-run", "--", "cat", ".env"] }, 5, { isMasked: true });
    const lines = moments.flatMap((moment) => moment.lines.map(({ text }) => stripVTControlCharacters(text)));
    return drawTerminal({
      moments,
      lastFrom,
      title:
        "sophia-run in a project with a .env: a start is refused, the next one succeeds, and a coding agent reads ***",
      description: lines.filter((line) => line !== "").join("\n"),
    });
  } finally {
    project.close();
  }
}

/** Draws the way of PORT, which `.env` and the contract's default set, as `explain` tells it. */
async function drawWay(): Promise<string> {
  const project = openProject();
  try {
    project.edit("sophia.contract.json", CONTRACT);
    project.edit(".env", CORRECT_ENV);
    const name = "PORT";
    const { stdout } = await run({ words: ["sophia-run", "explain", name, "--json"] }, project);
    const [variable] = list(property(parse(stdout), "variables"));
    const origin = property(variable, "origin");
    const values = new Map([
      ["dotenv", new RegExp(`^${name}=(.*)$`, "m").exec(CORRECT_ENV)?.[1] ?? ""],
      ["contract", textOf(property(property(property(parse(CONTRACT), "variables"), name), "default"))],
    ]);
    const hidden = list(property(variable, "shadows")).map((one) =>
      textOf(property(property(one, "origin"), "source")),
    );
    if (hidden.join() !== "contract") throw new Error(`${name} does not hide the default alone`);
    return drawSources({
      name,
      values,
      winner: textOf(property(origin, "source")),
      place: `${textOf(property(origin, "file"))}, line ${textOf(property(origin, "line"))}`,
      format: textOf(property(property(variable, "declaration"), "format")),
    });
  } finally {
    project.close();
  }
}

function textOf(value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number") throw new TypeError("explain lacks a member");
  return String(value);
}

async function main(): Promise<void> {
  const pictures = { "demo.svg": await drawDemo(), "sources.svg": await drawWay() };
  for (const [name, wanted] of Object.entries(pictures)) {
    const path = join(docs, name);
    if (!process.argv.includes("--check")) writeFileSync(path, wanted);
    else if (!existsSync(path) || readFileSync(path, "utf8") !== wanted) {
      process.stderr.write(`docs/${name} is out of date\n  npm run docs\n`);
      process.exitCode = 1;
    }
  }
}

await main();

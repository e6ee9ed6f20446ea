/**
 * `npm run picture`: draws docs/picture.svg, a terminal in which sophia-run refuses to start a program and then shows a
 * clean check. Both are real runs against the local ESC server. `--check` only compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, commandLine, ending, run } from "./demo/command.ts";
import { INCOMPLETE_ENVIRONMENT, openWorld } from "./demo/world.ts";

const PATH = join(import.meta.dirname, "../docs/picture.svg");
/** Of the demo's server, whatever it is elsewhere. */
const TOKEN = "pul-0000000000000000000000000000000000009f3c";

const COMMANDS: readonly Command[] = [
  { variables: { ESC_ENV: INCOMPLETE_ENVIRONMENT }, words: ["sophia-run", "--", "node", "app.js"] },
  { words: ["sophia-run", "check"] },
];

/** Sizes in pixels; a character of the font is 0.6 of its size wide. */
const SIZE = 13;
const LINE = 18;
const COLUMNS = 82;
const MARGIN = 16;

type Colour = "command" | "plain" | "good" | "bad" | "heading" | "dim";

const COLOURS: Readonly<Record<Colour, string>> = {
  command: "#7dcfff",
  plain: "#c0caf5",
  good: "#9ece6a",
  bad: "#f7768e",
  heading: "#bb9af7",
  dim: "#7a88b8",
};

function colourOf(line: string): Colour {
  if (line.startsWith("$ ")) return "command";
  if (line.startsWith("→ ")) return "dim";
  if (/^ *(?:✗|❌)/.test(line) || line.startsWith("sophia-run: ")) return "bad";
  if (line.startsWith("✅")) return "good";
  return /^(?:===|---)/.test(line) ? "heading" : "plain";
}

async function lines(): Promise<readonly string[]> {
  const world = await openWorld(TOKEN);
  try {
    const shown: string[] = [];
    for (const command of COMMANDS) {
      const ended = await run(command, world);
      const output = `${ended.stderr}${ended.stdout}`.trimEnd().split("\n");
      shown.push(`$ ${commandLine(command)}`, ...output, `→ ${ending(ended)}`, "");
    }
    return shown.slice(0, -1);
  } finally {
    await world.close();
  }
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function draw(shown: readonly string[]): string {
  const width = Math.ceil(COLUMNS * SIZE * 0.6) + 2 * MARGIN;
  const height = shown.length * LINE + 2 * MARGIN;
  const texts = shown.flatMap((line, index) =>
    line === ""
      ? []
      : [
          `    <text x="${MARGIN}" y="${MARGIN + index * LINE + SIZE}" fill="${COLOURS[colourOf(line)]}">` +
            `${escaped(line)}</text>`,
        ],
  );
  const title = "sophia-run refuses to start a program without a secret, and a clean check";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `  <title>${title}</title>`,
    `  <rect width="${width}" height="${height}" rx="8" fill="#1a1b26"/>`,
    `  <g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${SIZE}" xml:space="preserve">`,
    ...texts,
    "  </g>",
    "</svg>",
    "",
  ].join("\n");
}

async function main(): Promise<void> {
  const wanted = draw(await lines());
  if (process.argv.includes("--check")) {
    if (readFileSync(PATH, "utf8") === wanted) return;
    process.stderr.write("docs/picture.svg is not what sophia-run shows; npm run docs draws it anew\n");
    process.exitCode = 1;
  } else writeFileSync(PATH, wanted);
}

await main();

/**
 * `npm run docs`: draws docs/picture.svg, a terminal with a refused start and a clean check, both real runs against the local
 * ESC server. `--check` only compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, commandLine, ending, run } from "./demo/command.ts";
import { INCOMPLETE_ENVIRONMENT, openWorld } from "./demo/world.ts";

const PATH = join(import.meta.dirname, "../docs/picture.svg");
/** The token of the demo's server, fixed so that the picture does not change. */
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

const COMMAND = "#7dcfff";
const ASIDE = "#7a88b8";
const PLAIN = "#c0caf5";

/** SVG attributes of the SGR parameters (ECMA-48) that sophia-run writes; undefined ends one. */
const DRAWN: Readonly<Record<string, string | undefined>> = {
  1: 'font-weight="bold"',
  2: `fill="${ASIDE}"`,
  22: undefined,
  31: 'fill="#f7768e"',
  32: 'fill="#9ece6a"',
  33: 'fill="#e0af68"',
  39: undefined,
};

/** Returns a line of a terminal as SVG. */
function drawn(line: string): string {
  // oxlint-disable-next-line no-control-regex -- the escape of the terminal's own sequences
  return escaped(line).replaceAll(/\u001B\[(\d+)m/g, (_, parameter: string) => {
    if (!(parameter in DRAWN)) throw new Error(`the picture does not know SGR ${parameter}`);
    const attribute = DRAWN[parameter];
    return attribute === undefined ? "</tspan>" : `<tspan ${attribute}>`;
  });
}

interface Line {
  readonly text: string;
  readonly colour: string;
}

async function lines(): Promise<readonly Line[]> {
  const world = await openWorld(TOKEN);
  try {
    const shown: Line[] = [];
    const terminal = { ...world, environment: { ...world.environment, FORCE_COLOR: "1" } };
    for (const command of COMMANDS) {
      const ended = await run(command, terminal);
      const output = `${ended.stderr}${ended.stdout}`.trimEnd().split("\n");
      shown.push(
        { text: `$ ${commandLine(command)}`, colour: COMMAND },
        ...output.map((text) => ({ text, colour: PLAIN })),
        { text: `→ ${ending(ended)}`, colour: ASIDE },
        { text: "", colour: PLAIN },
      );
    }
    return shown.slice(0, -1);
  } finally {
    await world.close();
  }
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function draw(shown: readonly Line[]): string {
  const width = Math.ceil(COLUMNS * SIZE * 0.6) + 2 * MARGIN;
  const height = shown.length * LINE + 2 * MARGIN;
  const texts = shown.flatMap(({ text, colour }, index) =>
    text === ""
      ? []
      : [`    <text x="${MARGIN}" y="${MARGIN + index * LINE + SIZE}" fill="${colour}">${drawn(text)}</text>`],
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
    process.stderr.write("docs/picture.svg is out of date\n  npm run docs\n");
    process.exitCode = 1;
  } else writeFileSync(PATH, wanted);
}

await main();

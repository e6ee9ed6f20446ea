/**
 * Draws a terminal in which commands are typed and their outputs appear. The picture is complete without its animation: then it
 * shows the last moment. The animation is CSS, which GitHub runs in pictures, and only for those who have not asked their system
 * for less motion.
 */
import { stripVTControlCharacters } from "node:util";
import { columnsOf } from "../../src/core/lines.ts";
import { escaped, svgDocument } from "./svg.ts";

export interface TerminalLine {
  /** With the escape sequences of the terminal (ECMA-48). */
  readonly text: string;
  readonly kind: "command" | "output" | "aside";
}

/** Lines that appear at one moment. A command alone is typed. */
export interface Moment {
  readonly lines: readonly TerminalLine[];
  /** How long the picture stays as it is then, in seconds. */
  readonly seconds: number;
}

/** Sizes in pixels; a character of the font is 0.6 of its size wide. */
const SIZE = 13;
const CHARACTER = SIZE * 0.6;
const LINE = 18;
const COLUMNS = 82;
const MARGIN = 16;
const TYPED_PER_SECOND = 40;

const BACKGROUND = "#1a1b26";
const COLOURS: Readonly<Record<TerminalLine["kind"], string>> = {
  command: "#7dcfff",
  output: "#c0caf5",
  aside: "#8a97c4",
};

/** SVG attributes of the SGR parameters (ECMA-48) that sophia-run writes; undefined ends one. */
const DRAWN: Readonly<Record<string, string | undefined>> = {
  1: 'font-weight="bold"',
  2: `fill="${COLOURS.aside}"`,
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

/** A moment with its place and its times in seconds. */
interface PlacedMoment extends Moment {
  readonly firstRow: number;
  readonly start: number;
  /** The columns that are typed, behind the prompt. */
  readonly typed: number;
}

function placed(moments: readonly Moment[]): { readonly all: readonly PlacedMoment[]; readonly total: number } {
  const all: PlacedMoment[] = [];
  let [firstRow, start] = [0, 0];
  for (const moment of moments) {
    const [first] = moment.lines;
    const typed = first?.kind === "command" ? columnsOf(first.text) - PROMPT : 0;
    all.push({ ...moment, firstRow, start, typed });
    firstRow += moment.lines.length;
    start += typed / TYPED_PER_SECOND + moment.seconds;
  }
  return { all, total: start };
}

/** Columns of `$ `. */
const PROMPT = 2;

interface TerminalPicture {
  readonly moments: readonly Moment[];
  /** The terminal is as high as what appears from this moment on, so that its last state begins with it. */
  readonly lastFrom: number;
  /** Title and description are for readers who do not see the picture. */
  readonly title: string;
  readonly description: string;
}

export function drawTerminal({ moments, lastFrom, title, description }: TerminalPicture): string {
  const { all, total } = placed(moments);
  const lines = all.flatMap((moment) => moment.lines);
  const tooWide = lines.find(({ text }) => columnsOf(stripVTControlCharacters(text)) > COLUMNS);
  if (tooWide !== undefined) throw new Error(`this line is wider than the picture: ${tooWide.text}`);
  const width = Math.ceil(COLUMNS * CHARACTER) + 2 * MARGIN;
  const shownRows = lines.length - (all[lastFrom]?.firstRow ?? 0);
  const height = shownRows * LINE + 2 * MARGIN;
  const at = (seconds: number): string => `${Number(((100 * seconds) / total).toFixed(2))}%`;
  const scrolled = (rows: number): number => -Math.max(0, rows - shownRows) * LINE;

  const rules: string[] = [];
  const elements: string[] = [];
  const scroll: string[] = [];
  for (const [index, { lines: own, firstRow, start, typed }] of all.entries()) {
    scroll.push(`${at(start)} { transform: translateY(${scrolled(firstRow + own.length)}px); }`);
    rules.push(`.m${index} { animation: m${index} ${duration(total)} step-end infinite; }`);
    rules.push(`@keyframes m${index} { 0% { opacity: 0; } ${at(start)} { opacity: 1; } }`);
    elements.push(`      <g class="m${index}">`, ...own.flatMap((line, row) => element(line, firstRow + row)));
    if (typed > 0) {
      const end = start + typed / TYPED_PER_SECOND;
      const distance = Number((typed * CHARACTER).toFixed(1));
      rules.push(
        `.c${index} { animation: c${index} ${duration(total)} step-end infinite; }`,
        `@keyframes c${index} { 0% { opacity: 1; } ${at(end)} { opacity: 0; } }`,
        `.t${index} { animation: t${index} ${duration(total)} linear infinite; }`,
        `@keyframes t${index} { 0%, ${at(start)} { transform: none; animation-timing-function: steps(${typed}, end); } ` +
          `${at(end)}, 100% { transform: translateX(${distance}px); } }`,
      );
      const [x, y] = [MARGIN + PROMPT * CHARACTER, MARGIN + firstRow * LINE];
      elements.push(
        `        <g class="c${index}" opacity="0"><g class="t${index}">` +
          `<rect x="${x.toFixed(1)}" y="${y}" width="${width}" height="${LINE}" fill="${BACKGROUND}"/>` +
          `<rect x="${x.toFixed(1)}" y="${y + 2}" width="${CHARACTER.toFixed(1)}" height="${LINE - 4}" fill="${COLOURS.output}"/>` +
          "</g></g>",
      );
    }
    elements.push("      </g>");
  }
  const last = scrolled(lines.length);
  return svgDocument({
    width,
    height,
    title,
    description,
    style: [
      `    text { font-size: ${SIZE}px; }`,
      "    @media (prefers-reduced-motion: no-preference) {",
      `      .scroll { animation: scroll ${duration(total)} step-end infinite; }`,
      `      @keyframes scroll { ${scroll.join(" ")} }`,
      ...rules.map((rule) => `      ${rule}`),
      "    }",
    ],
    elements: [
      `  <clipPath id="window"><rect y="${MARGIN}" width="${width}" height="${shownRows * LINE}"/></clipPath>`,
      `  <rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${BACKGROUND}" stroke="#414868"/>`,
      '  <g clip-path="url(#window)" xml:space="preserve">',
      `    <g class="scroll" transform="translate(0 ${last})">`,
      ...elements,
      "    </g>",
      "  </g>",
    ],
  });
}

function duration(seconds: number): string {
  return `${Number(seconds.toFixed(2))}s`;
}

function element({ text, kind }: TerminalLine, row: number): readonly string[] {
  if (text === "") return [];
  const y = MARGIN + row * LINE + SIZE;
  return [`        <text x="${MARGIN}" y="${y}" fill="${COLOURS[kind]}">${drawn(text)}</text>`];
}

/** Draws the way of a value: the sources in their order of precedence, the contract, the program. */
import { PRECEDENCE } from "../../src/resolve/precedence.ts";
import { escaped, svgDocument } from "./svg.ts";

type Source = (typeof PRECEDENCE.environment)[number];

/** Name, and who gives the values. Made-up values (`--fake`) are no source of a usual start. */
const SOURCES: Readonly<Record<Exclude<Source, "fake">, readonly [name: string, giver: string]>> = {
  environment: ["process environment", "the caller"],
  override: [".env.override", "one developer, for a while"],
  esc: ["Pulumi ESC", "the team, if it uses ESC"],
  secrets: ["folders of secrets", "the container"],
  dotenv: [".env", "local development"],
  contract: ["default of the contract", "the repository"],
};

/** The variable that the picture follows, as a real start resolves it. */
export interface FollowedVariable {
  readonly name: string;
  /** The values that sources set. */
  readonly values: ReadonlyMap<string, string>;
  /** The source that wins. */
  readonly winner: string;
  /** The location of the value: `.env, line 2`. */
  readonly place: string;
  /** The format that the contract demands, in words: `a port`. */
  readonly format: string;
}

const WIDTH = 760;
const ROW = 46;
const TOP = 62;
const [LEFT, RIGHT] = [44, 396];
const [CONTRACT_LEFT, CONTRACT_RIGHT] = [446, 586];
const [PROGRAM_LEFT, PROGRAM_RIGHT] = [636, 742];

export function drawSources({ name, values, winner, place, format }: FollowedVariable): string {
  const order = PRECEDENCE.environment.filter((source) => source !== "fake");
  const bottom = TOP + order.length * ROW;
  const height = bottom + 40;
  const middle = (index: number): number => TOP + index * ROW + (ROW - 8) / 2;
  const won = order.findIndex((source) => source === winner);
  const value = values.get(winner);
  if (won === -1 || value === undefined) throw new Error(`${name} has no source of the picture`);
  const y = middle(won);
  const text = (x: number, at: number, content: string, kind = "plain", anchor = "start"): string =>
    `  <text x="${x}" y="${at}" class="${kind}" text-anchor="${anchor}">${escaped(content)}</text>`;
  const box = (x: number, top: number, to: number, tall: number, kind: string): string =>
    `  <rect x="${x}" y="${top}" width="${to - x}" height="${tall}" rx="6" class="${kind}"/>`;
  const contractTop = y - 74;
  const rows = order.flatMap((source, index) => {
    const [label, giver] = SOURCES[source];
    const own = values.get(source);
    const kind = index === won ? "won" : "box";
    return [
      box(LEFT, TOP + index * ROW, RIGHT, ROW - 8, kind),
      text(LEFT - 12, middle(index) + 5, String(index + 1), "quiet", "end"),
      text(LEFT + 12, middle(index) - 2, label, "strong"),
      text(LEFT + 12, middle(index) + 13, giver, "quiet"),
      ...(own === undefined
        ? [text(RIGHT - 12, middle(index) + 5, "–", "quiet", "end")]
        : [text(RIGHT - 12, middle(index) + 5, `${name}=${own}`, index === won ? "good" : "hidden", "end")]),
    ];
  });
  const description =
    `Sources, from the highest precedence to the lowest: ${order.map((source) => SOURCES[source].join(" (") + ")").join(", ")}. ` +
    `${name} is set in ${place}, which wins. The contract demands ${format}. The program gets ${name}=${value} in its ` +
    "environment; if the contract is not met, it does not start, and the status is 78.";
  return svgDocument({
    width: WIDTH,
    height,
    title: "The way of a value: sources, precedence, contract, program",
    description,
    style: [
      "    text { font-size: 13px; fill: #1f2328; }",
      "    .canvas { fill: #ffffff; stroke: #d0d7de; }",
      "    .box { fill: #f6f8fa; stroke: #d0d7de; }",
      "    .won { fill: #dafbe1; stroke: #1a7f37; }",
      "    .strong { font-weight: bold; }",
      "    .quiet { fill: #57606a; font-size: 11px; }",
      "    .hidden { fill: #57606a; text-decoration: line-through; }",
      "    .good { fill: #1a7f37; font-weight: bold; }",
      "    .bad { fill: #cf222e; font-size: 11px; }",
      "    .arrow { stroke: #1a7f37; fill: none; stroke-width: 2; }",
      "    .head { fill: #1a7f37; }",
      "    .stop { stroke: #cf222e; fill: none; stroke-width: 2; stroke-dasharray: 4 3; }",
      "    @media (prefers-color-scheme: dark) {",
      "      text { fill: #e6edf3; }",
      "      .canvas { fill: #0d1117; stroke: #3d444d; }",
      "      .box { fill: #161b22; stroke: #3d444d; }",
      "      .won { fill: #12261e; stroke: #3fb950; }",
      "      .quiet, .hidden { fill: #9198a1; }",
      "      .good { fill: #3fb950; }",
      "      .bad { fill: #ff7b72; }",
      "      .arrow { stroke: #3fb950; }",
      "      .head { fill: #3fb950; }",
      "      .stop { stroke: #ff7b72; }",
      "    }",
    ],
    elements: [
      `  <rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" class="canvas"/>`,
      text(LEFT, 32, "sources", "strong"),
      text(LEFT, 48, "the highest that sets a variable wins", "quiet"),
      text(CONTRACT_LEFT, 32, "contract", "strong"),
      text(CONTRACT_LEFT, 48, "sophia.contract.json", "quiet"),
      text(PROGRAM_LEFT, 32, "program", "strong"),
      text(PROGRAM_LEFT, 48, "its environment", "quiet"),
      ...rows,
      ...arrow(RIGHT, CONTRACT_LEFT, y),
      box(CONTRACT_LEFT, contractTop, CONTRACT_RIGHT, 110, "box"),
      text(CONTRACT_LEFT + 12, contractTop + 26, "required?", "plain"),
      text(CONTRACT_LEFT + 12, contractTop + 48, "a placeholder?", "plain"),
      text(CONTRACT_LEFT + 12, contractTop + 78, `${format}? ✓`, "good"),
      ...arrow(CONTRACT_RIGHT, PROGRAM_LEFT, y),
      box(PROGRAM_LEFT, y - 26, PROGRAM_RIGHT, 52, "won"),
      text((PROGRAM_LEFT + PROGRAM_RIGHT) / 2, y + 5, `${name}=${value}`, "good", "middle"),
      `  <path d="M${CONTRACT_LEFT + 70} ${contractTop + 110} V${bottom - 6}" class="stop"/>`,
      text(CONTRACT_LEFT + 70, bottom + 10, "✗ not met: nothing starts, status 78;", "bad", "middle"),
      text(CONTRACT_LEFT + 70, bottom + 26, "the message names the line to fix", "bad", "middle"),
    ],
  });
}

function arrow(from: number, to: number, y: number): readonly string[] {
  return [
    `  <path d="M${from} ${y} H${to - 8}" class="arrow"/>`,
    `  <path d="M${to} ${y} l-10 -5 v10 z" class="head"/>`,
  ];
}

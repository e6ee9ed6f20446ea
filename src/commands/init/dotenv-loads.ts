/** Code that reads `.env` by itself: dotenv of Node.js, and python-dotenv; pure. */
import type { Line } from "../../core/lines.ts";
import { expressionAt, firstMatches } from "../parts/code/reads.ts";
import { lineBefore } from "../parts/code/code-files.ts";
import { lineFinder } from "../parts/code/line-numbers.ts";
import { type CodePlace, placeWords } from "../parts/code/code-place.ts";

/** A call that loads a `.env` file into the environment of the program. */
export interface DotenvLoad extends CodePlace {
  readonly call: string;
  /** Its values replace those that are set: `override: true`, `override=True`. */
  readonly overrides: boolean;
}

/** The packages, also those of dotenvx and dotenv-flow, which all keep what is set. */
const PACKAGE = String.raw`["'](?:@dotenvx\/)?dotenv(?:x|-flow|-expand|-safe)?["']`;
const IMPORTS_IT = new RegExp(
  String.raw`\brequire\(\s*${PACKAGE}\s*\)|\bfrom\s*${PACKAGE}|\bimport\s*\(?\s*["'](?:@dotenvx\/)?dotenv(?:x|-flow)?\/config["']|\brequire\(\s*["']dotenv\/config["']`,
);
/** Each way to load it: a module that does so by itself, or a call of `config`. */
const LOADS_IN_SCRIPT = new RegExp(
  String.raw`\b(?:import|require)\s*\(?\s*["'](?:@dotenvx\/)?dotenv(?:x|-flow)?\/config["']|\brequire\(\s*${PACKAGE}\s*\)\s*\.\s*config(?=\()|\b(?:dotenv\w*|env)\.config(?=\()|(?<![\w.])config(?=\()`,
  "gi",
);
const LOADS_IN_PYTHON = /(?<![\w.])(?:dotenv\.)?load_dotenv(?=\()/g;

/** Finds the calls of a file that load a `.env` file. */
export function dotenvLoads(path: string, text: string): readonly DotenvLoad[] {
  const isPython = path.endsWith(".py");
  if (isPython ? !/\bdotenv\b/.test(text) : !IMPORTS_IT.test(text)) return [];
  const loads = firstMatches(text, isPython ? LOADS_IN_PYTHON : LOADS_IN_SCRIPT).filter((match) => {
    return !/^\s*(?:\/\/|#|\*|\/\*)|\bdef\s+$/.test(lineBefore(text, match.index));
  });
  const [first, ...others] = loads.slice(0, MOST_LOADS).map((match) => {
    const end = match.index + match[0].length;
    const given = text.charAt(end) === "(" ? expressionAt(text, end + 1, "") : "";
    const options = given === "" ? expressionAt(text, end) : given;
    return { match, overrides: /\boverride\s*(?:=\s*True|:\s*true)\b/.test(options) };
  });
  if (first === undefined) return [];
  const { match, overrides } = [first, ...others].find((one) => one.overrides) ?? first;
  return [{ file: path, line: lineFinder(text)(match.index), call: isPython ? "load_dotenv" : "dotenv", overrides }];
}

/** Calls whose arguments are read, each as far as an expression is. */
const MOST_LOADS = 20;

/** Says which of the calls may stay: one line for those, and one for those that must go. */
export function loadLines(loads: readonly DotenvLoad[]): readonly Line[] {
  const staying = loads.filter(({ overrides }) => !overrides);
  const going = loads.filter(({ overrides }) => overrides);
  return [
    ...lineFor(staying, (call) => `${call} may stay: it does not replace what sophia-run has set`),
    ...lineFor(going, (call) => {
      const option = call === "load_dotenv" ? "override=True" : "override: true";
      return `remove ${option} of ${call}: it replaces what sophia-run has checked`;
    }),
  ];
}

function lineFor(loads: readonly DotenvLoad[], word: (call: string) => string): readonly Line[] {
  const [first, ...others] = loads;
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return [{ text: `  ${placeWords(first)}${more}: ${word(first.call)}`, hang: 4 }];
}

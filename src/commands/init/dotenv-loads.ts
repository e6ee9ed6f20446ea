/**
 * Finds code that loads `.env` files by itself, with dotenv for Node.js or python-dotenv, and says which of these calls may
 * stay after `init`; pure.
 */
import type { Line } from "../../core/lines.ts";
import { expressionAt, firstMatches } from "../parts/code/reads.ts";
import { lineBefore } from "../parts/code/code-files.ts";
import { lineFinder } from "../parts/code/line-numbers.ts";
import { type CodePlace, placeWords } from "../parts/code/code-place.ts";

/** A call that loads a `.env` file into the environment of the program. */
export interface DotenvLoad extends CodePlace {
  readonly call: string;
  /** The file replaces variables that are set already: `override: true`, `override=True`. */
  readonly overrides: boolean;
}

/** The packages that load `.env` files. By default each keeps the variables that are set already. */
const PACKAGE = String.raw`["'](?:@dotenvx\/)?dotenv(?:x|-flow|-expand|-safe)?["']`;
const PACKAGE_IMPORT = new RegExp(
  String.raw`\brequire\(\s*${PACKAGE}\s*\)|\bfrom\s*${PACKAGE}|\bimport\s*\(?\s*["'](?:@dotenvx\/)?dotenv(?:x|-flow)?\/config["']|\brequire\(\s*["']dotenv\/config["']`,
);
/** `import "dotenv/config"`, which loads the file by itself, or a call such as `dotenv.config()`. */
const SCRIPT_LOAD = new RegExp(
  String.raw`\b(?:import|require)\s*\(?\s*["'](?:@dotenvx\/)?dotenv(?:x|-flow)?\/config["']|\brequire\(\s*${PACKAGE}\s*\)\s*\.\s*config(?=\()|\b(?:dotenv\w*|env)\.config(?=\()|(?<![\w.])config(?=\()`,
  "gi",
);
/** `load_dotenv(override=True)`. */
const PYTHON_LOAD = /(?<![\w.])(?:dotenv\.)?load_dotenv(?=\()/g;

/** The calls of one file whose arguments are parsed. */
const MAX_CALLS = 20;

/**
 * Finds the calls of a file that load a `.env` file.
 *
 * @returns at most one of them: the first that overrides variables, otherwise the first
 */
export function dotenvLoads(path: string, text: string): readonly DotenvLoad[] {
  const isPython = path.endsWith(".py");
  const hasImport = isPython ? /\bdotenv\b/.test(text) : PACKAGE_IMPORT.test(text);
  if (!hasImport) return [];
  const calls = firstMatches(text, isPython ? PYTHON_LOAD : SCRIPT_LOAD).filter((match) => {
    const isCommentOrDefinition = /^\s*(?:\/\/|#|\*|\/\*)|\bdef\s+$/.test(lineBefore(text, match.index));
    return !isCommentOrDefinition;
  });
  const loads = calls.slice(0, MAX_CALLS).map((match) => {
    return { offset: match.index, overrides: hasOverride(text, match.index + match[0].length) };
  });
  const load = loads.find(({ overrides }) => overrides) ?? loads[0];
  if (load === undefined) return [];
  const { offset, overrides } = load;
  return [{ file: path, line: lineFinder(text)(offset), call: isPython ? "load_dotenv" : "dotenv", overrides }];
}

/** Returns true if the call whose name ends at an offset has the option to override variables. */
function hasOverride(text: string, nameEnd: number): boolean {
  const argumentText = text.charAt(nameEnd) === "(" ? expressionAt(text, nameEnd + 1, "") : "";
  const options = argumentText === "" ? expressionAt(text, nameEnd) : argumentText;
  return /\boverride\s*(?:=\s*True|:\s*true)\b/.test(options);
}

/** Tells the user which of the calls may stay, and which must change: one line for each of the two. */
export function loadLines(loads: readonly DotenvLoad[]): readonly Line[] {
  const harmlessLoads = loads.filter(({ overrides }) => !overrides);
  const overridingLoads = loads.filter(({ overrides }) => overrides);
  return [
    ...linesFor(harmlessLoads, (call) => `${call} may stay: it does not replace what sophia-run has set`),
    ...linesFor(overridingLoads, (call) => {
      const option = call === "load_dotenv" ? "override=True" : "override: true";
      return `remove ${option} of ${call}: it replaces what sophia-run has checked`;
    }),
  ];
}

/** Returns a line with the place of the first call and the number of the others; none without a call. */
function linesFor(loads: readonly DotenvLoad[], describe: (call: string) => string): readonly Line[] {
  const [first, ...others] = loads;
  if (first === undefined) return [];
  const further = others.length === 0 ? "" : ` and ${others.length} more`;
  return [{ text: `  ${placeWords(first)}${further}: ${describe(first.call)}`, hangingIndent: 4 }];
}

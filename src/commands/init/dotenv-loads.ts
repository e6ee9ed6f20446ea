/**
 * Finds calls by which a program loads `.env` files by itself, with dotenv for Node.js or python-dotenv. `init` reports
 * which of them may stay, and which must change because they replace values that sophia-run has set.
 */
import type { Line } from "../../core/lines.ts";
import { parseExpression } from "../parts/code/expressions.ts";
import { findMatches } from "../parts/code/reads.ts";
import { sliceLineBefore } from "../parts/code/code-files.ts";
import { createLineNumberFinder } from "../parts/code/line-numbers.ts";
import { type CodePlace, describeCodePlace } from "../parts/code/code-place.ts";

/** A call that loads a `.env` file into the environment of the program. */
export interface DotenvLoad extends CodePlace {
  /** The name of the call for the user. */
  readonly call: "dotenv" | "load_dotenv";
  /** True if the file replaces variables that are set already: `override: true`, `override=True`. */
  readonly overrides: boolean;
}

/** The packages that load `.env` files. By default each keeps the variables that are set already. */
const PACKAGE = String.raw`["'](?:@dotenvx\/)?dotenv(?:x|-flow|-expand|-safe)?["']`;
const PACKAGE_IMPORT = new RegExp(
  String.raw`\brequire\(\s*${PACKAGE}\s*\)|\bfrom\s*${PACKAGE}|\bimport\s*\(?\s*["'](?:@dotenvx\/)?dotenv(?:x|-flow)?\/config["']|\brequire\(\s*["']dotenv\/config["']`,
);
/**
 * Matches `import "dotenv/config"`, which loads the file by itself, and calls such as `dotenv.config()` up to the bracket.
 */
const SCRIPT_LOAD = new RegExp(
  String.raw`\b(?:import|require)\s*\(?\s*["'](?:@dotenvx\/)?dotenv(?:x|-flow)?\/config["']|\brequire\(\s*${PACKAGE}\s*\)\s*\.\s*config(?=\()|\b(?:dotenv\w*|env)\.config(?=\()|(?<![\w.])config(?=\()`,
  "gi",
);
/** Matches a call such as `load_dotenv(override=True)`, up to the bracket. */
const PYTHON_LOAD = /(?<![\w.])(?:dotenv\.)?load_dotenv(?=\()/g;

/** The limit on the calls of one file whose arguments are parsed, since code may be hostile. */
const MAX_CALLS = 20;

/**
 * Finds the call of a file of code that loads a `.env` file. One per file suffices for the report.
 *
 * @returns the first call that overrides variables, otherwise the first call; none if there is no call
 */
export function findDotenvLoads(path: string, text: string): readonly DotenvLoad[] {
  const isPython = path.endsWith(".py");
  const hasImport = isPython ? /\bdotenv\b/.test(text) : PACKAGE_IMPORT.test(text);
  if (!hasImport) return [];
  const calls = findMatches(text, isPython ? PYTHON_LOAD : SCRIPT_LOAD).filter((match) => {
    const isCommentOrDefinition = /^\s*(?:\/\/|#|\*|\/\*)|\bdef\s+$/.test(sliceLineBefore(text, match.index));
    return !isCommentOrDefinition;
  });
  const loads = calls.slice(0, MAX_CALLS).map((match) => {
    return { offset: match.index, overrides: hasOverride(text, match.index + match[0].length) };
  });
  const load = loads.find(({ overrides }) => overrides) ?? loads[0];
  if (load === undefined) return [];
  const { offset, overrides } = load;
  return [
    { file: path, line: createLineNumberFinder(text)(offset), call: isPython ? "load_dotenv" : "dotenv", overrides },
  ];
}

/** Returns true if the call whose name ends at an offset has the option to override variables. */
function hasOverride(text: string, nameEnd: number): boolean {
  // `import "dotenv/config"` has no arguments: the options are searched in the rest of the statement.
  const argumentText = text.charAt(nameEnd) === "(" ? parseExpression(text, nameEnd + 1, { terminators: "" }) : "";
  const options = argumentText === "" ? parseExpression(text, nameEnd) : argumentText;
  return /\boverride\s*(?:=\s*True|:\s*true)\b/.test(options);
}

/** Reports the calls that may stay in one line, and those that must change in another. */
export function describeLoads(loads: readonly DotenvLoad[]): readonly Line[] {
  const harmlessLoads = loads.filter(({ overrides }) => !overrides);
  const overridingLoads = loads.filter(({ overrides }) => overrides);
  return [
    ...summaryLine(harmlessLoads, (call) => `${call} may stay: it does not replace what sophia-run has set`),
    ...summaryLine(overridingLoads, (call) => {
      const option = call === "load_dotenv" ? "override=True" : "override: true";
      return `remove ${option} of ${call}: it replaces what sophia-run has checked`;
    }),
  ];
}

/** Returns a line with the place of the first call and the number of the others; no line without a call. */
function summaryLine(loads: readonly DotenvLoad[], describe: (call: string) => string): readonly Line[] {
  const [first, ...others] = loads;
  if (first === undefined) return [];
  const otherCount = others.length === 0 ? "" : ` and ${others.length} more`;
  return [{ text: `  ${describeCodePlace(first)}${otherCount}: ${describe(first.call)}`, hangingIndent: 4 }];
}

/**
 * Formats the report of `sophia-run check --against dev,prod`, as text for people and as JSON (`--json`). Its main part is a table with
 * a row for each variable and a column for each ESC environment. comparison.ts compares; this file has no side effects.
 *
 *       Variable      dev      prod
 *       DATABASE_URL  set*     set*
 *     ! LOG_LEVEL     set      missing
 */
import type { Comparison, ComparedEnvironment, ComparisonRow, ComparisonState } from "./comparison.ts";
import { formatJson } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import { describeContract, createReportTitle } from "../../output/report.ts";

/** Returns the comparison as JSON. Its version changes if a field is removed or changes its meaning; fields may be added. */
export function comparisonJson(
  { met, drift, passed, contract, environments, rows }: Comparison,
  notices: readonly string[],
): string {
  const variables = rows.map(({ states, ...row }) => ({
    ...row,
    states: Object.fromEntries(environments.map((environment, index) => [titleOf(environment), states[index]])),
  }));
  const reported = environments.map(({ name, version, violations }) => ({ name, version, violations }));
  return formatJson({ version: 1, passed, met, drift, contract, environments: reported, variables, notices });
}

/** The word for each state in the table, and its explanation below the table, unless the word says it all. */
const STATE_TEXTS: Readonly<Record<ComparisonState, readonly [word: string, legend?: string]>> = {
  set: ["set"],
  missing: ["missing"],
  "value-not-known": ["set*", "set, value not known: a secret, or made by a provider (fn::open)"],
  invalid: ["invalid", "set, but a placeholder or not of the declared format"],
  default: ["default", "not set; the contract's default applies"],
  empty: ["empty", "empty, which counts as missing"],
  "not-a-variable": ["list", "a list or an object, which cannot be a variable; use fn::toJSON"],
  "not-known": ["?", "not known: all variables come from a provider"],
};

const DRIFT_LEGEND = ["!", "drift: set in one environment and missing in another"] as const;
const UNSET_LEGEND = ["-", "not set in any environment"] as const;
/** The width of the first column of the legend. */
const LEGEND_WORD_COLUMNS = 8;

/** Longer names get a line of their own, so that they do not widen the column. */
const MAX_NAME_COLUMNS = 40;
/** If the name of an environment is longer, the columns have numbers in place of names. */
const MAX_LABEL_LENGTH = 20;
/** The longest word of a state: `missing`, `invalid` or `default`. */
const MIN_CELL_COLUMNS = 7;
/** The gap behind the name of a variable and behind each cell. */
const GAP_COLUMNS = 2;
/** The mark, the space behind it, and the gap behind the name. */
const MARGIN_COLUMNS = 2 + GAP_COLUMNS;

/** Returns the comparison for people. @param width the columns of the terminal; a wider table is split */
export function comparisonText(comparison: Comparison, width: number): readonly Line[] {
  const { contract, environments, rows } = comparison;
  const labels = labelsOf(environments);
  const blocks: readonly (readonly Line[])[] = [
    [createReportTitle("comparison", contract)],
    [`Contract: ${describeContract(contract)}`, ...environmentLines(environments, labels)],
    ...splitTable(rows, labels, width).map((lines) => lines.map((text) => ({ text, neverWraps: true }))),
    legendLines(rows),
    ...environments.filter(({ violations }) => violations.length > 0).map(violationLines),
    ["--- Summary ---", ...summaryLines(comparison)],
  ].filter((lines) => lines.length > 0);
  return blocks.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]));
}

/** Lists the full names of the environments, each with its label in the table if the reader could not recognize it there. */
function environmentLines(environments: readonly ComparedEnvironment[], labels: readonly string[]): readonly string[] {
  return environments.map((environment, index) => {
    const title = titleOf(environment);
    const label = labels[index] ?? "";
    const heading = index === 0 ? "ESC:     " : "         ";
    return `${heading} ${title}${title.endsWith(label) ? "" : ` (${label})`}`;
  });
}

function titleOf({ name, version }: ComparedEnvironment): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** Returns a short label for each environment: its name without the parts that all names share, or `[1]` and so on if that is long. */
function labelsOf(environments: readonly ComparedEnvironment[]): readonly string[] {
  // A full name is ORGANIZATION/PROJECT/NAME.
  const paths = environments.map((environment) => titleOf(environment).split("/"));
  const isShared = (partCount: number): boolean =>
    new Set(paths.map((path) => path.slice(0, partCount).join("/"))).size === 1;
  // The label omits the organization, or the organization and the project, if all environments have the same.
  const sharedPartCount = [2, 1].find(isShared) ?? 0;
  const labels = paths.map((path) => path.slice(sharedPartCount).join("/"));
  const areAllShort = labels.every((label) => label.length <= MAX_LABEL_LENGTH);
  return areAllShort ? labels : labels.map((_, index) => `[${index + 1}]`);
}

/** The widths of a table's columns, and the environments that it has. */
interface TableLayout {
  readonly nameColumns: number;
  readonly cellColumns: number;
  /** The index of the table's first environment, and the index after its last one. */
  readonly start: number;
  readonly end: number;
}

/** Returns the table, or several tables to print below each other if the environments do not fit into the terminal. */
function splitTable(
  rows: readonly ComparisonRow[],
  labels: readonly string[],
  terminalColumns: number,
): readonly (readonly string[])[] {
  const nameLengths = rows.map(({ name }) => name.length).filter((length) => length <= MAX_NAME_COLUMNS);
  // The number of rows has no limit, so the lengths are not spread into the arguments of Math.max.
  const nameColumns = nameLengths.reduce((maximum, length) => Math.max(maximum, length), "Variable".length);
  const cellColumns = Math.max(MIN_CELL_COLUMNS, ...labels.map(({ length }) => length)) + GAP_COLUMNS;
  const columnsForCells = terminalColumns - nameColumns - MARGIN_COLUMNS;
  const cellsPerTable = Math.max(1, Math.floor(columnsForCells / cellColumns));
  const tableCount = Math.ceil(labels.length / cellsPerTable);
  return Array.from({ length: tableCount }, (_, index) => {
    const start = index * cellsPerTable;
    return tableLines(rows, labels, { nameColumns, cellColumns, start, end: start + cellsPerTable });
  });
}

/** Returns the lines of one table: its head, the declared variables, and then the others. */
function tableLines(rows: readonly ComparisonRow[], labels: readonly string[], layout: TableLayout): readonly string[] {
  const undeclaredRows = rows.filter(({ declared }) => !declared);
  return [
    tableLine({ mark: " ", name: "Variable", cells: labels }, layout),
    ...rows.filter(({ declared }) => declared).map((row) => variableLine(row, layout)),
    ...(undeclaredRows.length === 0
      ? []
      : ["  Not declared by the contract:", ...undeclaredRows.map((row) => variableLine(row, layout))]),
  ];
}

function variableLine({ name, states, drift }: ComparisonRow, layout: TableLayout): string {
  const cells = isMissingEverywhere(states) ? states.map(() => "-") : states.map((state) => STATE_TEXTS[state][0]);
  return tableLine({ mark: drift ? "!" : " ", name, cells }, layout);
}

interface TableRow {
  readonly mark: string;
  readonly name: string;
  /** The cells for all environments. A table shows a part of them. */
  readonly cells: readonly string[];
}

function tableLine({ mark, name, cells }: TableRow, { nameColumns, cellColumns, start, end }: TableLayout): string {
  const shownCells = cells.slice(start, end).map((cell) => cell.padEnd(cellColumns));
  const isLongName = name.length > nameColumns;
  const head = isLongName
    ? `${mark} ${name}\n${" ".repeat(nameColumns + MARGIN_COLUMNS)}`
    : `${mark} ${name.padEnd(nameColumns + GAP_COLUMNS)}`;
  return `${head}${shownCells.join("")}`.trimEnd();
}

function isMissingEverywhere(states: readonly ComparisonState[]): boolean {
  return states.every((state) => state === "missing");
}

/** Explains the marks and the words that the table has, but not those that it does not have. */
function legendLines(rows: readonly ComparisonRow[]): readonly Line[] {
  const usedStates = new Set<string>(rows.flatMap(({ states }) => states));
  const entries: readonly (readonly [word: string, legend?: string])[] = [
    ...(rows.some(({ drift }) => drift) ? [DRIFT_LEGEND] : []),
    ...(rows.some(({ states }) => isMissingEverywhere(states)) ? [UNSET_LEGEND] : []),
    ...Object.entries(STATE_TEXTS).flatMap(([state, texts]) => (usedStates.has(state) ? [texts] : [])),
  ];
  return entries.flatMap(([word, legend]) =>
    legend === undefined
      ? []
      : { text: `${word.padEnd(LEGEND_WORD_COLUMNS)} ${legend}`, hangingIndent: LEGEND_WORD_COLUMNS + 1 },
  );
}

function violationLines(environment: ComparedEnvironment): readonly Line[] {
  return [`--- ${titleOf(environment)} ---`, ...environment.lines];
}

/** Returns the result in a line for each fact. Without `--strict`, drift is only a warning. */
function summaryLines({ met, strict, environments, rows }: Comparison): readonly string[] {
  const driftCount = rows.filter(({ drift }) => drift).length;
  const unmetEnvironments = environments.filter(({ violations }) => violations.length > 0);
  const [onlyEnvironment, ...furtherEnvironments] = environments;
  const metBy =
    onlyEnvironment !== undefined && furtherEnvironments.length === 0
      ? titleOf(onlyEnvironment)
      : `all ${environments.length}`;
  const driftText = `Drift in ${count(driftCount, "variable")}`;
  return [
    ...unmetEnvironments.map((environment) => `❌ The contract is not met by ${titleOf(environment)}`),
    ...(met ? [`✅ The contract is met by ${metBy}, as far as is known without opening`] : []),
    ...(driftCount > 0
      ? [strict ? `❌ ${driftText} (--strict)` : `⚠️ ${driftText}: --strict makes the check fail`]
      : []),
    ...(driftCount === 0 && environments.length > 1
      ? [`✅ No drift between ${count(environments.length, "environment")}`]
      : []),
  ];
}

/**
 * Formats the report of `sophia-run check --against dev,prod`, as text for people and as JSON (`--json`). Its main part is a table
 * with a row for each variable and a column for each ESC environment. comparison.ts compares; this file has no side effects.
 *
 *       Variable      dev      prod
 *       DATABASE_URL  set*     set*
 *     ! LOG_LEVEL     set      missing
 */
import type { Comparison, ComparedEnvironment, ComparisonRow, ComparisonState } from "./comparison.ts";
import { formatJson } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import { createHeadLine, describeContract, createReportTitle } from "../../output/report.ts";

/** Returns the comparison as JSON. Its version changes if a field is removed or changes its meaning; fields may be added. */
export function formatComparisonJson(
  { isMet, hasDrift, hasPassed, contract, environments, rows }: Comparison,
  notices: readonly string[],
): string {
  return formatJson({
    version: 1,
    passed: hasPassed,
    met: isMet,
    drift: hasDrift,
    contract,
    environments: environments.map(({ name, version, violations }) => ({ name, version, violations })),
    variables: rows.map((row) => ({
      name: row.name,
      declared: row.isDeclared,
      secret: row.isSecret,
      drift: row.hasDrift,
      states: Object.fromEntries(environments.map((environment, index) => [titleOf(environment), row.states[index]])),
    })),
    notices,
  });
}

/** The word for each state in the table, and its explanation below the table, unless the word says it all. */
const STATE_TEXTS: Readonly<Record<ComparisonState, readonly [word: string, explanation?: string]>> = {
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

/** Returns the comparison for people. A table that is wider than the terminal is split. */
export function formatComparison(comparison: Comparison, terminalColumns: number): readonly Line[] {
  const { contract, environments, rows } = comparison;
  const labels = createLabels(environments);
  const blocks: readonly (readonly Line[])[] = [
    [createReportTitle("comparison", contract)],
    [createHeadLine("Contract:", describeContract(contract)), ...createEnvironmentLines(environments, labels)],
    ...splitTable(rows, labels, terminalColumns).map((lines) => lines.map((text) => ({ text, neverWraps: true }))),
    createLegendLines(rows),
    ...environments.filter(({ violations }) => violations.length > 0).map(createViolationLines),
    ["--- Summary ---", ...createSummaryLines(comparison)],
  ];
  const shownBlocks = blocks.filter((lines) => lines.length > 0);
  return shownBlocks.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]));
}

/** Lists the full names of the environments, each followed by its label in the table if the name does not end in the label. */
function createEnvironmentLines(
  environments: readonly ComparedEnvironment[],
  labels: readonly string[],
): readonly Line[] {
  return environments.map((environment, index) => {
    const title = titleOf(environment);
    const label = labels[index] ?? "";
    return createHeadLine(index === 0 ? "ESC:" : "", title.endsWith(label) ? title : `${title} (${label})`);
  });
}

function titleOf({ name, version }: ComparedEnvironment): string {
  return version === undefined ? name : `${name}@${version}`;
}

/**
 * Returns a short label for each environment: its name without the leading parts that all names share. If one of these labels is
 * long, the labels are `[1]`, `[2]` and so on.
 */
function createLabels(environments: readonly ComparedEnvironment[]): readonly string[] {
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

/** The widths of a table's columns, and the range of the environments that the table shows. */
interface TableLayout {
  readonly nameColumns: number;
  readonly cellColumns: number;
  /** The index of the table's first environment. */
  readonly startIndex: number;
  /** The index after that of the table's last environment. */
  readonly endIndex: number;
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
    const startIndex = index * cellsPerTable;
    return createTableLines(rows, labels, {
      nameColumns,
      cellColumns,
      startIndex,
      endIndex: startIndex + cellsPerTable,
    });
  });
}

/** Returns the lines of one table: the names of the environments, the declared variables, and then the undeclared ones. */
function createTableLines(
  rows: readonly ComparisonRow[],
  labels: readonly string[],
  layout: TableLayout,
): readonly string[] {
  const headLine = createTableLine({ mark: " ", name: "Variable", cells: labels }, layout);
  const declaredLines = rows.filter(({ isDeclared }) => isDeclared).map((row) => createVariableLine(row, layout));
  const undeclaredLines = rows.filter(({ isDeclared }) => !isDeclared).map((row) => createVariableLine(row, layout));
  if (undeclaredLines.length === 0) return [headLine, ...declaredLines];
  return [headLine, ...declaredLines, "  Not declared by the contract:", ...undeclaredLines];
}

function createVariableLine({ name, states, hasDrift }: ComparisonRow, layout: TableLayout): string {
  const cells = isMissingEverywhere(states) ? states.map(() => "-") : states.map((state) => STATE_TEXTS[state][0]);
  return createTableLine({ mark: hasDrift ? "!" : " ", name, cells }, layout);
}

interface TableRow {
  readonly mark: string;
  readonly name: string;
  /** The cells for all environments. A table shows a part of them. */
  readonly cells: readonly string[];
}

function createTableLine({ mark, name, cells }: TableRow, layout: TableLayout): string {
  const { nameColumns, cellColumns, startIndex, endIndex } = layout;
  const shownCells = cells.slice(startIndex, endIndex).map((cell) => cell.padEnd(cellColumns));
  const isLongName = name.length > nameColumns;
  const head = isLongName
    ? `${mark} ${name}\n${" ".repeat(nameColumns + MARGIN_COLUMNS)}`
    : `${mark} ${name.padEnd(nameColumns + GAP_COLUMNS)}`;
  return `${head}${shownCells.join("")}`.trimEnd();
}

function isMissingEverywhere(states: readonly ComparisonState[]): boolean {
  return states.every((state) => state === "missing");
}

/** Explains those marks and words that appear in the table. */
function createLegendLines(rows: readonly ComparisonRow[]): readonly Line[] {
  const usedStates = new Set<string>(rows.flatMap(({ states }) => states));
  const entries: readonly (readonly [word: string, explanation?: string])[] = [
    ...(rows.some(({ hasDrift }) => hasDrift) ? [DRIFT_LEGEND] : []),
    ...(rows.some(({ states }) => isMissingEverywhere(states)) ? [UNSET_LEGEND] : []),
    ...Object.entries(STATE_TEXTS).flatMap(([state, texts]) => (usedStates.has(state) ? [texts] : [])),
  ];
  return entries.flatMap(([word, explanation]) =>
    explanation === undefined
      ? []
      : { text: `${word.padEnd(LEGEND_WORD_COLUMNS)} ${explanation}`, hangingIndent: LEGEND_WORD_COLUMNS + 1 },
  );
}

function createViolationLines(environment: ComparedEnvironment): readonly Line[] {
  return [`--- ${titleOf(environment)} ---`, ...environment.lines];
}

function createSummaryLines(comparison: Comparison): readonly string[] {
  return [...summarizeContract(comparison), ...summarizeDrift(comparison)];
}

/** Says which environments do not meet the contract, or that all of them do. */
function summarizeContract({ isMet, environments }: Comparison): readonly string[] {
  if (!isMet) {
    const unmetEnvironments = environments.filter(({ violations }) => violations.length > 0);
    return unmetEnvironments.map((environment) => `❌ The contract is not met by ${titleOf(environment)}`);
  }
  const [firstEnvironment, ...furtherEnvironments] = environments;
  const isOnlyOne = firstEnvironment !== undefined && furtherEnvironments.length === 0;
  const subject = isOnlyOne ? titleOf(firstEnvironment) : `all ${environments.length}`;
  return [`✅ The contract is met by ${subject}, as far as is known without opening`];
}

/** Says in how many variables the environments differ. Without `--strict`, drift is only a warning. */
function summarizeDrift({ isStrict, environments, rows }: Comparison): readonly string[] {
  const driftCount = rows.filter(({ hasDrift }) => hasDrift).length;
  if (driftCount > 0) {
    const driftText = `Drift in ${count(driftCount, "variable")}`;
    return [isStrict ? `❌ ${driftText} (--strict)` : `⚠️ ${driftText}: --strict makes the check fail`];
  }
  return environments.length > 1 ? [`✅ No drift between ${count(environments.length, "environment")}`] : [];
}

/** The report of `check --against`, for people and as JSON: a table of variables by environments. Pure. */
import type { Comparison, ComparedEnvironment, ComparisonRow, ComparisonState } from "./comparison.ts";
import { jsonText } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import { contractWords, reportTitle } from "../../output/report.ts";

/** Returns the comparison as JSON. Its version changes if a field changes its meaning. */
export function comparisonJson(
  { met, drift, passed, contract, environments, rows }: Comparison,
  notices: readonly string[],
): string {
  const variables = rows.map(({ states, ...row }) => ({
    ...row,
    states: Object.fromEntries(environments.map((environment, index) => [titleOf(environment), states[index]])),
  }));
  const reported = environments.map(({ name, version, violations }) => ({ name, version, violations }));
  return jsonText({ version: 1, passed, met, drift, contract, environments: reported, variables, notices });
}

/** The word of each state in the table, and its explanation below the table. */
const STATES: Readonly<Record<ComparisonState, readonly [word: string, legend?: string]>> = {
  set: ["set"],
  missing: ["missing"],
  "value-not-known": ["set*", "set, value not known: a secret, or made by a provider (fn::open)"],
  invalid: ["invalid", "set, but a placeholder or not of the declared format"],
  default: ["default", "not set; the contract's default applies"],
  empty: ["empty", "empty, which counts as missing"],
  "not-a-variable": ["list", "a list or an object, which cannot be a variable; use fn::toJSON"],
  "not-known": ["?", "not known: all variables come from a provider"],
};

/** Longer names get a line of their own, so that they do not widen the column. */
const MAX_NAME_COLUMNS = 40;
const MAX_LABEL_LENGTH = 20;
const MIN_CELL_COLUMNS = 7;
/** The mark, the spaces around it, and the gap after the name. */
const MARGIN_COLUMNS = 4;

/** Returns the comparison for people. @param width the columns of the terminal, by which the table is split */
export function comparisonText(comparison: Comparison, width: number): readonly Line[] {
  const { contract, environments, rows } = comparison;
  const labels = labelsOf(environments);
  const blocks: readonly (readonly Line[])[] = [
    [reportTitle("comparison", contract)],
    [
      `Contract: ${contractWords(contract)}`,
      ...environments.map((environment, index) => {
        const title = titleOf(environment);
        const label = labels[index] ?? "";
        return `${index === 0 ? "ESC:     " : "         "} ${title}${title.endsWith(label) ? "" : ` (${label})`}`;
      }),
    ],
    ...splitTable(rows, labels, width).map((lines) => lines.map((text) => ({ text, whole: true }))),
    legendLines(rows),
    ...environments.filter(({ violations }) => violations.length > 0).map(violationLines),
    ["--- Summary ---", ...summaryLines(comparison)],
  ].filter((lines) => lines.length > 0);
  return blocks.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]));
}

function titleOf({ name, version }: ComparedEnvironment): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** Returns short labels of the environments: their names without common parts, or numbers if these are long. */
function labelsOf(environments: readonly ComparedEnvironment[]): readonly string[] {
  const parts = environments.map((environment) => titleOf(environment).split("/"));
  const isShared = (depth: number): boolean => new Set(parts.map((path) => path.slice(0, depth).join("/"))).size === 1;
  // The organization, and then the project, are left out if all environments have the same.
  const depth = isShared(2) ? 2 : isShared(1) ? 1 : 0;
  const labels = parts.map((path) => path.slice(depth).join("/"));
  return labels.some((label) => label.length > MAX_LABEL_LENGTH) ? labels.map((_, index) => `[${index + 1}]`) : labels;
}

/** Returns the table, or several tables below each other if the environments do not fit into the columns of the terminal. */
function splitTable(
  rows: readonly ComparisonRow[],
  labels: readonly string[],
  columns: number,
): readonly (readonly string[])[] {
  const nameColumns = rows.reduce(
    (maximum, { name: { length } }) => (length <= MAX_NAME_COLUMNS ? Math.max(maximum, length) : maximum),
    "Variable".length,
  );
  const cellColumns = Math.max(MIN_CELL_COLUMNS, ...labels.map(({ length }) => length)) + 2;
  const columnsForCells = columns - nameColumns - MARGIN_COLUMNS;
  const cellsPerTable = Math.max(1, Math.floor(columnsForCells / cellColumns));
  const tableCount = Math.ceil(labels.length / cellsPerTable);
  const starts = Array.from({ length: tableCount }, (_, index) => index * cellsPerTable);
  return starts.map((start) => {
    const line = (mark: string, name: string, cells: readonly string[]): string => {
      const shownCells = cells.slice(start, start + cellsPerTable).map((cell) => cell.padEnd(cellColumns));
      const isLong = name.length > nameColumns;
      const head = isLong
        ? `${mark} ${name}\n${" ".repeat(nameColumns + MARGIN_COLUMNS)}`
        : `${mark} ${name.padEnd(nameColumns + 2)}`;
      return `${head}${shownCells.join("")}`.trimEnd();
    };
    const rowLine = ({ name, states, drift }: ComparisonRow): string => {
      const isUnset = states.every((state) => state === "missing");
      return line(
        drift ? "!" : " ",
        name,
        states.map((state) => (isUnset ? "-" : STATES[state][0])),
      );
    };
    const undeclared = rows.filter(({ declared }) => !declared);
    return [
      line(" ", "Variable", labels),
      ...rows.filter(({ declared }) => declared).map(rowLine),
      ...(undeclared.length === 0 ? [] : ["  Not declared by the contract:", ...undeclared.map(rowLine)]),
    ];
  });
}

/** Explains the marks and words that the table has. */
function legendLines(rows: readonly ComparisonRow[]): readonly Line[] {
  const used = new Set<string>(rows.flatMap(({ states }) => states));
  const isUnset = rows.some(({ states }) => states.every((state) => state === "missing"));
  const entries: readonly (readonly [word: string, legend?: string])[] = [
    rows.some(({ drift }) => drift) ? ["!", "drift: set in one environment and missing in another"] : [""],
    isUnset ? ["-", "not set in any environment"] : [""],
    ...Object.entries(STATES).flatMap(([state, entry]) => (used.has(state) ? [entry] : [])),
  ];
  return entries.flatMap(([word, words]) =>
    words === undefined ? [] : { text: `${word.padEnd(8)} ${words}`, hang: 9 },
  );
}

function violationLines(environment: ComparedEnvironment): readonly Line[] {
  return [`--- ${titleOf(environment)} ---`, ...environment.lines];
}

function summaryLines({ met, strict, environments, rows }: Comparison): readonly string[] {
  const drifting = rows.filter(({ drift }) => drift).length;
  const unmet = environments.filter(({ violations }) => violations.length > 0);
  const [first] = environments;
  const allNames = environments.length === 1 && first !== undefined ? titleOf(first) : `all ${environments.length}`;
  const drift = `Drift in ${count(drifting, "variable")}`;
  return [
    ...unmet.map((environment) => `❌ The contract is not met by ${titleOf(environment)}`),
    ...(met ? [`✅ The contract is met by ${allNames}, as far as is known without opening`] : []),
    ...(drifting > 0 ? [strict ? `❌ ${drift} (--strict)` : `⚠️ ${drift}: --strict makes the check fail`] : []),
    ...(drifting === 0 && environments.length > 1
      ? [`✅ No drift between ${count(environments.length, "environment")}`]
      : []),
  ];
}

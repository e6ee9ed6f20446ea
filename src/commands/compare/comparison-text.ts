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

const LONGEST_NAME = 40;

export function comparisonText(comparison: Comparison, width: number): readonly Line[] {
  const { contract, environments, rows } = comparison;
  const labels = labelsOf(environments);
  const blocks: readonly (readonly Line[])[] = [
    [reportTitle("comparison", contract)],
    [
      `Contract: ${contractWords(contract)}`,
      ...environments.map((one, index) => {
        const title = titleOf(one);
        const label = labels[index] ?? "";
        return `${index === 0 ? "ESC:     " : "         "} ${title}${title.endsWith(label) ? "" : ` (${label})`}`;
      }),
    ],
    ...tables(rows, labels, width).map((lines) => lines.map((text) => ({ text, whole: true }))),
    legend(rows),
    ...environments.filter(({ violations }) => violations.length > 0).map(unmetRules),
    ["--- Summary ---", ...summary(comparison)],
  ].filter((lines) => lines.length > 0);
  return blocks.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]));
}

function titleOf({ name, version }: ComparedEnvironment): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** Returns short labels of the environments: their names without common parts, or numbers if these are long. */
function labelsOf(environments: readonly ComparedEnvironment[]): readonly string[] {
  const parts = environments.map((one) => titleOf(one).split("/"));
  const isShared = (depth: number): boolean => new Set(parts.map((path) => path.slice(0, depth).join("/"))).size === 1;
  const depth = isShared(2) ? 2 : isShared(1) ? 1 : 0;
  const labels = parts.map((path) => path.slice(depth).join("/"));
  return labels.some((label) => label.length > 20) ? labels.map((_, index) => `[${index + 1}]`) : labels;
}

function tables(
  rows: readonly ComparisonRow[],
  labels: readonly string[],
  columns: number,
): readonly (readonly string[])[] {
  const longest = rows.reduce(
    (most, { name: { length } }) => (length <= LONGEST_NAME ? Math.max(most, length) : most),
    "Variable".length,
  );
  const width = Math.max(7, ...labels.map(({ length }) => length)) + 2;
  const fitting = Math.max(1, Math.floor((columns - longest - 4) / width));
  const starts = Array.from({ length: Math.ceil(labels.length / fitting) }, (_, index) => index * fitting);
  return starts.map((start) => {
    const line = (mark: string, name: string, cells: readonly string[]): string => {
      const shown = cells.slice(start, start + fitting).map((cell) => cell.padEnd(width));
      // A very long name must not widen the column.
      const head =
        name.length > longest ? `${mark} ${name}\n${" ".repeat(longest + 4)}` : `${mark} ${name.padEnd(longest + 2)}`;
      return `${head}${shown.join("")}`.trimEnd();
    };
    const rowLine = ({ name, states, drift }: ComparisonRow): string => {
      const isUnset = states.every((state) => state === "missing");
      return line(
        drift ? "!" : " ",
        name,
        states.map((state) => (isUnset ? "-" : STATES[state][0])),
      );
    };
    const others = rows.filter(({ declared }) => !declared);
    return [
      line(" ", "Variable", labels),
      ...rows.filter(({ declared }) => declared).map(rowLine),
      ...(others.length === 0 ? [] : ["  Not declared by the contract:", ...others.map(rowLine)]),
    ];
  });
}

function legend(rows: readonly ComparisonRow[]): readonly Line[] {
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

function unmetRules(environment: ComparedEnvironment): readonly Line[] {
  return [`--- ${titleOf(environment)} ---`, ...environment.lines];
}

function summary({ met, strict, environments, rows }: Comparison): readonly string[] {
  const drifting = rows.filter(({ drift }) => drift).length;
  const unmet = environments.filter(({ violations }) => violations.length > 0);
  const [first] = environments;
  const all = environments.length === 1 && first !== undefined ? titleOf(first) : `all ${environments.length}`;
  const drift = `Drift in ${count(drifting, "variable")}`;
  return [
    ...unmet.map((one) => `❌ The contract is not met by ${titleOf(one)}`),
    ...(met ? [`✅ The contract is met by ${all}, as far as is known without opening`] : []),
    ...(drifting > 0 ? [strict ? `❌ ${drift} (--strict)` : `⚠️ ${drift}: --strict makes the check fail`] : []),
    ...(drifting === 0 && environments.length > 1
      ? [`✅ No drift between ${count(environments.length, "environment")}`]
      : []),
  ];
}

import type { Parity, ParityRow, ParityState } from "../parity.ts";
import { count } from "../text.ts";

/** The comparison for programs, with a version that changes when a field loses its meaning. */
export function parityJson({ environments, rows, drift }: Parity): string {
  const variables = rows.map(({ name, declared, states, drift: differs }) => ({
    name,
    declared,
    drift: differs,
    states: Object.fromEntries(environments.map((environment, index) => [environment, states[index]])),
  }));
  return `${JSON.stringify({ version: 1, drift, environments, variables }, undefined, 2)}\n`;
}

const WORDS: Readonly<Record<ParityState, string>> = {
  set: "set",
  "value-unknown": "set, value not known",
  invalid: "not valid",
  missing: "missing",
  unknown: "not known",
};

/** The comparison for people: one table, a row for each variable. */
export function parityText(parity: Parity): string {
  const { environments, rows } = parity;
  const declared = rows.filter((row) => row.declared);
  const others = rows.filter((row) => !row.declared);
  const cells = [
    ["   ", "Variable", ...environments],
    ...declared.map(cellsOf),
    ...(others.length === 0 ? [] : [["   ", "Not declared:"], ...others.map(cellsOf)]),
  ];
  const widths = ["", "Variable", ...environments].map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const table = cells.map(([mark = "", ...row]) =>
    `${mark}${row.map((cell, column) => cell.padEnd((widths[column + 1] ?? 0) + 2)).join("")}`.trimEnd(),
  );
  return ["=== Sophia Configuration Parity ===", "", ...table, "", ...summary(parity), ""].join("\n");
}

// The marks with a colour are two columns wide, so that one space follows where three stand in the head.
function cellsOf({ name, declared, states, drift }: ParityRow): readonly string[] {
  const isAbsent = states.every((state) => state === "missing");
  const isWrong = drift || states.includes("invalid");
  const mark = isAbsent || !declared ? "➖ " : isWrong ? "❌ " : "✅ ";
  return [mark, name, ...states.map((state) => WORDS[state])];
}

function summary({ rows, drift, environments }: Parity): readonly string[] {
  const states = new Set(rows.flatMap((row) => row.states));
  const notes = [
    ...(states.has("value-unknown")
      ? ["set, value not known: a secret, or what a provider gives; it is not opened here, so it may be empty or wrong"]
      : []),
    ...(states.has("unknown") ? ["not known: a provider gives all variables of the environment at once"] : []),
  ];
  const drifting = rows.filter((row) => row.declared && row.drift).map(({ name }) => name);
  return [
    ...notes,
    ...(notes.length > 0 ? [""] : []),
    drift
      ? `❌ ${count(drifting.length, "declared variable")} not in every environment: ${drifting.join(", ")}`
      : `✅ No declared variable is in one of ${count(environments.length, "environment")} and missing in another`,
  ];
}

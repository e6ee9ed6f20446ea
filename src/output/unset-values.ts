/** Values that sources have and that are empty, and names in files that resemble one that is not set. */
import { isBlank, isDeclared, isSet, namesOfViolation } from "../contract/check-contract.ts";
import { isOfLine, type Origin } from "../core/model.ts";
import { nameFinder } from "../core/suggest.ts";
import { printable } from "../core/text.ts";
import { hasNoContract, type Start } from "../resolve/start.ts";

/** Returns a finder of the words for a variable without a value: `empty (.env, line 3)`; undefined if no source has the name. */
export function emptyWords({ values: { layers } }: Pick<Start, "values">): (name: string) => string | undefined {
  let origins: Map<string, Origin> | undefined;
  return (name) => {
    if (origins === undefined) {
      origins = new Map();
      // The highest layer comes first.
      for (const { variables } of layers.toReversed()) {
        for (const one of variables) if (isBlank(one.value)) origins.set(one.name, one.origin);
      }
    }
    const origin = origins.get(name);
    return origin === undefined ? undefined : `empty${emptyPlace(origin)}`;
  };
}

function emptyPlace(origin: Origin): string {
  if (isOfLine(origin)) return ` (${lineWords(origin)})`;
  if (origin.source === "environment") return " in the environment";
  return origin.source === "secrets" ? ` (${printable(origin.file)})` : "";
}

function lineWords({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${printable(file)}, line ${line}`;
}

const MOST_NAMES = 10;

/** Names the undeclared variables of files that resemble a declared one that no source sets, and that no rule requires. */
export function similarNameLines(start: Start): readonly string[] {
  const {
    files: { contract },
    values: { resolution, selected },
    verdict,
  } = start;
  // The user has no contract whose names could be meant.
  if (hasNoContract(start)) return [];
  const undeclared = Array.from(resolution.values()).filter(({ name, origin }) => {
    return isOfLine(origin) && !isDeclared(contract, name);
  });
  const find = nameFinder(undeclared.map(({ name }) => name));
  const isReported = new Set(verdict.violations.flatMap(namesOfViolation));
  const unset = [...contract.variables.keys()].filter((name) => !isReported.has(name) && !isSet(selected, name));
  const lines = unset.flatMap((name) => {
    const similar = find(name);
    const origin = similar === undefined ? undefined : resolution.get(similar)?.origin;
    if (similar === undefined || origin === undefined || !isOfLine(origin)) return [];
    return [`${printable(similar)} (${lineWords(origin)}) is not declared: did you mean ${name}?`];
  });
  return lines.slice(0, MOST_NAMES);
}

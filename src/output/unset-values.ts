/**
 * Describes why a variable counts as unset although the user has written it into a file: the value is empty, or the name is misspelt.
 * The message of an unmet contract and the report of `check` use the descriptions.
 */
import { isBlank, isDeclared, isSet, namesOfViolation } from "../contract/check-contract.ts";
import { isLineLocation, type Layer, type Origin } from "../core/model.ts";
import { createNameFinder } from "../core/suggest.ts";
import { printable } from "../core/text.ts";
import { hasNoContract, type Start } from "../resolve/start.ts";

/**
 * Returns a function that describes the empty value of a variable: `empty (.env, line 3)`. It returns undefined if no source sets
 * the variable to an empty value.
 */
export function createEmptyValueDescriber({
  values: { layers },
}: Pick<Start, "values">): (name: string) => string | undefined {
  let emptyOrigins: ReadonlyMap<string, Origin> | undefined;
  return (name) => {
    emptyOrigins ??= collectEmptyOrigins(layers);
    const origin = emptyOrigins.get(name);
    return origin === undefined ? undefined : `empty${describeLocation(origin)}`;
  };
}

/** Returns the origin of each empty value. If several layers have an empty value for a name, this is the origin in the highest. */
function collectEmptyOrigins(layers: readonly Layer[]): ReadonlyMap<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const { variables } of layers.toReversed()) {
    for (const { name, value, origin } of variables) if (isBlank(value)) origins.set(name, origin);
  }
  return origins;
}

/** Returns the location as words that follow `empty`; an empty text for sources without a location. */
function describeLocation(origin: Origin): string {
  if (isLineLocation(origin)) return ` (${describeLine(origin)})`;
  if (origin.source === "environment") return " in the environment";
  return origin.source === "secrets" ? ` (${printable(origin.file)})` : "";
}

function describeLine({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${printable(file)}, line ${line}`;
}

/** The limit on the lines about misspelt names, so that they do not hide the rest of a report. */
const MAX_SIMILAR_NAMES = 10;

/**
 * Returns a line for each undeclared variable of a file whose name resembles the name of a declared variable that is not set:
 *
 *     DATABSE_URL (.env, line 3) is not declared: did you mean DATABASE_URL?
 *
 * If a rule requires the declared variable, there is no line, because the message of its violation has the same question.
 */
export function describeSimilarNames(start: Start): readonly string[] {
  const {
    files: { contract },
    values: { resolution, selected },
    verdict,
  } = start;
  // Without a contract there are no declared names that the user could mean.
  if (hasNoContract(start)) return [];
  const undeclared = Array.from(resolution.values()).filter(({ name, origin }) => {
    return isLineLocation(origin) && !isDeclared(contract, name);
  });
  const findSimilar = createNameFinder(undeclared.map(({ name }) => name));
  const isReported = new Set(verdict.violations.flatMap(namesOfViolation));
  const unset = [...contract.variables.keys()].filter((name) => !isReported.has(name) && !isSet(selected, name));
  const lines = unset.flatMap((name) => {
    const similar = findSimilar(name);
    const origin = similar === undefined ? undefined : resolution.get(similar)?.origin;
    if (similar === undefined || origin === undefined || !isLineLocation(origin)) return [];
    return [`${printable(similar)} (${describeLine(origin)}) is not declared: did you mean ${name}?`];
  });
  return lines.slice(0, MAX_SIMILAR_NAMES);
}

/** Proves that an edited definition has the requested changes and no others. Pure. */
import { isMap } from "yaml";
import type { SophiaError } from "../../core/error.ts";
import { isLinked, isNull, keyOf, type Mapping, type Node, printOf, type Print } from "./nodes.ts";
import { parseDefinition, refuse, type Parsed, withoutReferences } from "./nodes.ts";
import { pairsOf, type VariableChange, VARIABLES_PATH } from "./definition-variables.ts";

/** Checks that an edited text has the changes and no others. @throws SophiaError (esc-edit, 125) */
export function verify(before: Parsed, edited: string, changes: readonly VariableChange[]): void {
  const after = parseEdited(edited);
  const names = new Set(changes.map(({ name }) => name));
  if (unchangedPart(before, names) !== unchangedPart(after, names) || !hasChanges(after, changes)) throw unusualForm();
}

/** Parses an edited text. @throws SophiaError (esc-edit, 125) */
export function parseEdited(edited: string): Parsed {
  try {
    return parseDefinition(edited);
  } catch {
    throw unusualForm();
  }
}

/** Returns the error for an edit after which more differs than was requested. */
export function unusualForm(): SophiaError {
  return refuse("its form is unusual, and something else would change, too");
}

/** Returns a text of all that must not change: the entries except for these variables, and the comments. */
function unchangedPart({ top, comments }: Parsed, names: ReadonlySet<string>): string {
  return JSON.stringify([entriesExcept(names, top, VARIABLES_PATH), comments.map(({ text }) => text).join("\n")]);
}

/**
 * Returns the entries except for these variables. A mapping on the path to the variables is left out if it has no other
 * entries, because the edit may have made it.
 */
function entriesExcept(
  names: ReadonlySet<string>,
  map: Mapping | undefined,
  [key, ...path]: readonly string[],
): readonly Print[] {
  return (map?.items ?? []).flatMap((pair): readonly Print[] => {
    const { value } = pair;
    const print = [printOf(pair.key), printOf(value)];
    if (key === undefined) return names.has(keyOf(pair)) ? [] : [print];
    if (keyOf(pair) !== key) return [print];
    if (!isMap<Node, Node | null>(value)) return isNull(value) && !isLinked(value) ? [] : [print];
    const inner = entriesExcept(names, value, path);
    return inner.length === 0 ? [] : [[key, ...inner]];
  });
}

function hasChanges(after: Parsed, changes: readonly VariableChange[]): boolean {
  const variables = pairsOf(after);
  return changes.every((change) => {
    const print = JSON.stringify(printOf(variables.get(change.name)?.value));
    return acceptedPrints(change).some((accepted) => JSON.stringify(accepted) === print);
  });
}

/** Returns the forms that a change may have in the text. A secret stays secret even if a plain value is set. */
function acceptedPrints(change: VariableChange): readonly Print[] {
  if (change.kind === "node") return [printOf(parseDefinition(`{"n": ${change.text}}`).top?.items[0]?.value)];
  const secret = ["map", ["s fn::secret", `s ${change.value}`]];
  return change.secret ? [secret] : [`s ${withoutReferences(change.value)}`, secret];
}

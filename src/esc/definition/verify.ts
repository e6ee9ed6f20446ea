/**
 * Checks that the text of an edited ESC definition has the requested changes and no others. edit.ts replaces pieces of text, so an
 * unusual way of writing YAML could otherwise lead to a definition with another meaning.
 */
import { isMap } from "yaml";
import type { SophiaError } from "../../core/error.ts";
import { isLinked, isNull, keyOf, type Mapping, type Node, fingerprintOf, type Fingerprint } from "./nodes.ts";
import { parseDefinition, editError, type ParsedDefinition, escapeReferences } from "./nodes.ts";
import { pairsOf, type VariableChange, VARIABLES_PATH } from "./definition-variables.ts";

/** Checks that an edited text has the changes and no others. @throws SophiaError (esc-edit, 125) */
export function verifyEdit(before: ParsedDefinition, editedYaml: string, changes: readonly VariableChange[]): void {
  const after = parseEdited(editedYaml);
  const names = new Set(changes.map(({ name }) => name));
  if (describeUnchanged(before, names) !== describeUnchanged(after, names) || !hasChanges(after, changes))
    throw unusualFormError();
}

/** Parses an edited text. @throws SophiaError (esc-edit, 125) */
export function parseEdited(editedYaml: string): ParsedDefinition {
  try {
    return parseDefinition(editedYaml);
  } catch {
    throw unusualFormError();
  }
}

/** Returns the error for an edit after which more differs than was requested. */
export function unusualFormError(): SophiaError {
  return editError("its form is unusual, and something else would change, too");
}

/**
 * Returns a text of all that must not change: the entries except for these variables, and the comments. edit.ts may move several
 * comments to one line, where they are one comment.
 */
function describeUnchanged({ top, comments }: ParsedDefinition, names: ReadonlySet<string>): string {
  return JSON.stringify([entriesExcept(names, top, VARIABLES_PATH), comments.map(({ text }) => text).join(" ")]);
}

/**
 * Returns the entries except for these variables. A mapping on the path to the variables is left out if it has no other
 * entries, because the edit may have made it.
 */
function entriesExcept(
  names: ReadonlySet<string>,
  map: Mapping | undefined,
  [key, ...path]: readonly string[],
): readonly Fingerprint[] {
  return (map?.items ?? []).flatMap((pair): readonly Fingerprint[] => {
    const { value } = pair;
    const fingerprint = [fingerprintOf(pair.key), fingerprintOf(value)];
    if (key === undefined) return names.has(keyOf(pair)) ? [] : [fingerprint];
    if (keyOf(pair) !== key) return [fingerprint];
    if (!isMap<Node, Node | null>(value)) return isNull(value) && !isLinked(value) ? [] : [fingerprint];
    const inner = entriesExcept(names, value, path);
    return inner.length === 0 ? [] : [[key, ...inner]];
  });
}

function hasChanges(after: ParsedDefinition, changes: readonly VariableChange[]): boolean {
  const variables = pairsOf(after);
  return changes.every((change) => {
    const fingerprint = JSON.stringify(fingerprintOf(variables.get(change.name)?.value));
    return acceptedFingerprints(change).some((accepted) => JSON.stringify(accepted) === fingerprint);
  });
}

/** Returns the fingerprints that a changed variable may have. A secret stays secret even if a plain value is set. */
function acceptedFingerprints(change: VariableChange): readonly Fingerprint[] {
  if (change.kind === "node") return [fingerprintOf(parseDefinition(`{"n": ${change.text}}`).top?.items[0]?.value)];
  const secret = ["map", ["s fn::secret", `s ${change.value}`]];
  return change.secret ? [secret] : [`s ${escapeReferences(change.value)}`, secret];
}

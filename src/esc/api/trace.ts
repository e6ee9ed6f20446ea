/**
 * Finds in which definition, and on which line, a value of an opened environment was written. ESC reports that in `trace`:
 *
 *     { "value": "…", "trace": { "def": { "environment": "sophia/base", "begin": { "line": 3 } }, "base": {…} } }
 */
import type { DefinitionLocation, Origin } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { formatName, type FullName } from "../settings/environment-names.ts";
import { type Fields, fieldsOf, positiveInteger, textAt, valueAt } from "../transport/answer.ts";

type Provenance = Pick<Extract<Origin, { readonly source: "esc" }>, "importedFrom" | "line" | "overrides">;

/** The limit on the overridden values that are reported. A chain of imports may have any length, and each may override the next. */
const MAX_OVERRIDES = 20;

/**
 * Returns the names under which the opened environment itself occurs in traces. If it also occurs as an import at another
 * revision, that has another name.
 */
export function namesInTraces(
  answer: Fields,
  name: FullName & { readonly revision?: string | undefined },
): ReadonlySet<string> {
  const { project, version, revision } = name;
  const names = [formatName(name), `${project}/${name.name}`, ...(project === "default" ? [name.name] : [])];
  const namesAtVersions = [version, revision].flatMap((versionOrRevision) =>
    versionOrRevision === undefined ? [] : names.map((unversioned) => `${unversioned}@${versionOrRevision}`),
  );
  const root = valueAt(answer, "executionContext", "properties", "rootEnvironment", "value", "name", "value");
  return new Set([...names, ...namesAtVersions, ...(typeof root === "string" ? [root] : [])]);
}

/**
 * Reads the trace of one value. Of the values that it overrides, only the locations are read: `trace.base` holds secrets in
 * plain text.
 */
export function provenanceOf(value: Fields, environmentNames: ReadonlySet<string>): Provenance {
  const trace = fieldsOf(value["trace"]);
  if (trace === undefined) return {};
  const { environment, ...line } = locationIn(trace);
  const overrides: DefinitionLocation[] = [];
  let base = fieldsOf(trace["base"]);
  while (base !== undefined && overrides.length < MAX_OVERRIDES) {
    const baseTrace = fieldsOf(base["trace"]) ?? {};
    overrides.push(locationIn(baseTrace));
    base = fieldsOf(baseTrace["base"]);
  }
  return {
    ...(environment === undefined || environmentNames.has(environment) ? {} : { importedFrom: environment }),
    ...line,
    ...(overrides.length === 0 ? {} : { overrides }),
  };
}

/** Reads the location of a trace. Names that the evaluator makes up, such as `<import>` and `<yaml>`, are left out. */
function locationIn(trace: Fields): DefinitionLocation {
  const environment = textAt(trace, "def", "environment");
  const line = positiveInteger(valueAt(trace, "def", "begin", "line"));
  const isName = environment !== undefined && !environment.startsWith("<");
  return { ...(isName ? { environment: printable(environment) } : {}), ...(line === undefined ? {} : { line }) };
}

/** The source of a value within the definitions, by the trace of an answer. */
import type { DefinitionLocation, Origin } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { formatName, type FullName } from "../settings/environment-names.ts";
import { type Fields, fieldsOf, positive, textAt, valueAt } from "../transport/answer.ts";

type Provenance = Pick<Extract<Origin, { readonly source: "esc" }>, "importedFrom" | "line" | "overrides">;

/** The length of a chain of imports has no limit. */
const MOST_OVERRIDDEN = 20;

/** Returns the names of the opened environment in traces. An import of it at another revision has another name. */
export function ownNames(
  answer: Fields,
  name: FullName & { readonly revision?: string | undefined },
): ReadonlySet<string> {
  const { project, version, revision } = name;
  const usual = [formatName(name), `${project}/${name.name}`, ...(project === "default" ? [name.name] : [])];
  const pinned = [version, revision].flatMap((at) => (at === undefined ? [] : usual.map((own) => `${own}@${at}`)));
  const root = valueAt(answer, "executionContext", "properties", "rootEnvironment", "value", "name", "value");
  return new Set([...usual, ...pinned, ...(typeof root === "string" ? [root] : [])]);
}

/** Reads the trace of one value. Of replaced values only their lines: `trace.base` holds plain secrets. */
export function provenanceOf(value: Fields, own: ReadonlySet<string>): Provenance {
  const trace = fieldsOf(value["trace"]);
  if (trace === undefined) return {};
  const { environment, ...line } = locationIn(trace);
  const overrides: DefinitionLocation[] = [];
  let base = fieldsOf(trace["base"]);
  while (base !== undefined && overrides.length < MOST_OVERRIDDEN) {
    const below = fieldsOf(base["trace"]) ?? {};
    overrides.push(locationIn(below));
    base = fieldsOf(below["base"]);
  }
  return {
    ...(environment === undefined || own.has(environment) ? {} : { importedFrom: environment }),
    ...line,
    ...(overrides.length === 0 ? {} : { overrides }),
  };
}

/** Ignores names of the evaluator, such as `<import>` and `<yaml>`. */
function locationIn(trace: Fields): DefinitionLocation {
  const environment = textAt(trace, "def", "environment");
  const line = positive(valueAt(trace, "def", "begin", "line"));
  const isName = environment !== undefined && !environment.startsWith("<");
  return { ...(isName ? { environment: printable(environment) } : {}), ...(line === undefined ? {} : { line }) };
}

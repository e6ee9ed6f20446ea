/** The source of a value within the definitions, by the trace of an answer. */
import type { EscPlace } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { type Fields, fieldsOf, positive, valueAt } from "../transport/answer.ts";

/** The length of a chain of imports has no limit. */
const MOST_OVERRIDDEN = 20;

/** The source of a value within the environment that was opened. */
interface Provenance {
  /** The import that defines it; absent for the environment's own and if the service does not report it. */
  readonly importedFrom?: string;
  readonly line?: number;
  /** Imports with a value that it replaces, the nearest first. */
  readonly overrides?: readonly EscPlace[];
}

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
  const { environment, ...line } = placeOf(trace);
  const overrides = overriddenBy(trace);
  return {
    ...(environment === undefined || own.has(environment) ? {} : { importedFrom: printable(environment) }),
    ...line,
    ...(overrides.length === 0 ? {} : { overrides }),
  };
}

function overriddenBy(trace: Fields): readonly EscPlace[] {
  const places: EscPlace[] = [];
  let base = fieldsOf(trace["base"]);
  while (base !== undefined && places.length < MOST_OVERRIDDEN) {
    const below = fieldsOf(base["trace"]) ?? {};
    const { environment, ...line } = placeOf(below);
    places.push({ ...(environment === undefined ? {} : { environment: printable(environment) }), ...line });
    base = fieldsOf(below["base"]);
  }
  return places;
}

/** Ignores names of the evaluator, such as `<import>` and `<yaml>`. */
function placeOf(trace: Fields): EscPlace {
  const environment = valueAt(trace, "def", "environment");
  const line = positive(valueAt(trace, "def", "begin", "line"));
  const isName = typeof environment === "string" && environment !== "" && !environment.startsWith("<");
  return { ...(isName ? { environment } : {}), ...(line === undefined ? {} : { line }) };
}

/** Where the definition stands that gives a value, as the trace of an answer tells. */
import type { EscPlace } from "../../core/model.ts";
import { printable } from "../../core/text.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { type Fields, fieldsOf, positive } from "../transport/answer.ts";

/** What is kept of the imports that a value overrides: a chain may be as long as its author likes. */
const MOST_OVERRIDDEN = 20;

/** Where a value comes from within the environment that was opened. */
export interface Provenance {
  /** The import that defines it; absent for the environment's own and where the service does not tell. */
  readonly importedFrom?: string;
  /** The line of the definition, from 1. */
  readonly line?: number;
  /** Imports whose value it replaces, the nearest first. */
  readonly overrides?: readonly EscPlace[];
}

/**
 * What traces call the environment that was opened: the name that the service says, and those that it may have.
 * An import of the same environment at another revision has another one.
 *
 * @param name with the revision, where the service told it
 */
export function ownNames(answer: Fields, name: FullName & { readonly revision?: string }): ReadonlySet<string> {
  const { project, version, revision } = name;
  const usual = [formatName(name), `${project}/${name.name}`, ...(project === "default" ? [name.name] : [])];
  const pinned = [version, revision].flatMap((at) => (at === undefined ? [] : usual.map((own) => `${own}@${at}`)));
  const context = fieldsOf(fieldsOf(answer["executionContext"])?.["properties"]);
  const root = fieldsOf(fieldsOf(context?.["rootEnvironment"])?.["value"]);
  const told = fieldsOf(root?.["name"])?.["value"];
  return new Set([...usual, ...pinned, ...(typeof told === "string" ? [told] : [])]);
}

/**
 * Reads the trace of one value. Of what it replaces only the place is read: `trace.base` has the values themselves,
 * secrets in plain text too.
 */
export function provenanceOf(value: Fields, own: ReadonlySet<string>): Provenance {
  const trace = fieldsOf(value["trace"]);
  if (trace === undefined) return {};
  const { environment, line } = placeOf(trace);
  const overrides = overriddenBy(trace);
  return {
    ...(environment === undefined || own.has(environment) ? {} : { importedFrom: printable(environment) }),
    ...(line === undefined ? {} : { line }),
    ...(overrides.length === 0 ? {} : { overrides }),
  };
}

function overriddenBy(trace: Fields): readonly EscPlace[] {
  const places: EscPlace[] = [];
  let base = fieldsOf(trace["base"]);
  while (base !== undefined && places.length < MOST_OVERRIDDEN) {
    const below = fieldsOf(base["trace"]) ?? {};
    const { environment, line } = placeOf(below);
    places.push({
      ...(environment === undefined ? {} : { environment: printable(environment) }),
      ...(line === undefined ? {} : { line }),
    });
    base = fieldsOf(below["base"]);
  }
  return places;
}

/** Names such as `<import>` and `<yaml>` are the evaluator's own for what has none. */
function placeOf(trace: Fields): { readonly environment: string | undefined; readonly line: number | undefined } {
  const range = fieldsOf(trace["def"]);
  const environment = range?.["environment"];
  const isName = typeof environment === "string" && environment !== "" && !environment.startsWith("<");
  return { environment: isName ? environment : undefined, line: positive(fieldsOf(range?.["begin"])?.["line"]) };
}

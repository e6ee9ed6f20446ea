/** The change of an environment: reads it, writes another definition, and reads it back. */
import type { Diagnostic } from "../../core/model.ts";
import { namesIn } from "../definition/definition-variables.ts";
import { EscFault, needsApproval, statusOf } from "../faults/esc-fault.ts";
import { isSchemaRefusal } from "../faults/schema-refusal.ts";
import { formatName, type FullName } from "../settings/environment-names.ts";
import { Secret } from "../settings/secret.ts";
import type { Connection } from "../transport/connection.ts";
import {
  createDraft,
  type Definition,
  type Draft,
  readBack,
  readDefinition,
  updateDefinition,
} from "./definition-requests.ts";
import { openByDefaults, type OpenedEnvironment } from "./open-session.ts";

export interface EnvironmentState {
  readonly name: FullName;
  readonly definition: Definition;
  readonly opened: OpenedEnvironment;
  /** The variables whose values are hidden, if ESC does not open the environment; `opened` then has only the others. */
  readonly hidden?: ReadonlySet<string>;
  readonly hiddenBy?: "approval" | "schema";
}

export type ChangeResult =
  /** All is as requested. `wrote`: by this change. */
  | {
      readonly kind: "done";
      readonly wrote: boolean;
      readonly before: EnvironmentState;
      readonly after: EnvironmentState;
    }
  | { readonly kind: "without-effect"; readonly before: EnvironmentState; readonly after: EnvironmentState }
  | ({ readonly kind: "draft"; readonly before: EnvironmentState } & Draft)
  /** Other users changed the definition each time; nothing was written. */
  | { readonly kind: "conflict"; readonly attempts: number }
  /** A schema in the environment refuses the changed values; nothing was written. */
  | { readonly kind: "refused"; readonly before: EnvironmentState; readonly diagnostics: readonly Diagnostic[] };

const MOST_ATTEMPTS = 4;

/** Shorter values occur in messages of the service by chance. */
const SHORTEST_HIDDEN = 4;

/** Reads and opens an environment. @throws EscFault @throws SophiaError for values that no variable can have */
export async function readCurrent(name: FullName, connection: Connection): Promise<EnvironmentState> {
  const definition = await readDefinition(name, connection);
  return { name, definition, opened: await openByDefaults(name, connection) };
}

/**
 * The same as {@link readCurrent}, but evaluates an environment that needs an approval to be opened, or that ESC does not open
 * because a schema refuses its values: a change can correct them.
 */
export async function readOrEvaluate(name: FullName, connection: Connection): Promise<EnvironmentState> {
  const definition = await readDefinition(name, connection);
  let hiddenBy: NonNullable<EnvironmentState["hiddenBy"]>;
  try {
    return { name, definition, opened: await openByDefaults(name, connection) };
  } catch (error) {
    if (!(error instanceof EscFault && (needsApproval(error.fault) || isSchemaRefusal(error.fault)))) throw error;
    hiddenBy = needsApproval(error.fault) ? "approval" : "schema";
  }
  const { evaluate } = await import("./evaluate.ts");
  const { variables: all, notices } = await evaluate(name, connection);
  const variables = Array.from(all.values()).flatMap((one) => (one.kind === "known" ? [one.variable] : []));
  const hidden = new Set(Array.from(all).flatMap(([key, { kind }]) => (kind === "unknown" ? [key] : [])));
  return { name, definition, opened: { name, variables, notices, mayMint: () => false }, hidden, hiddenBy };
}

/**
 * The same as {@link readCurrent}. Of an environment that ESC does not open because a schema refuses its values, those that are not
 * secret are known; the others are {@link UNSEEN}.
 */
export async function readDespiteSchema(name: FullName, connection: Connection): Promise<EnvironmentState> {
  const definition = await readDefinition(name, connection);
  try {
    return { name, definition, opened: await openByDefaults(name, connection) };
  } catch (error) {
    if (!(error instanceof EscFault && isSchemaRefusal(error.fault))) throw error;
  }
  const { evaluate, variablesIn } = await import("./evaluate.ts");
  const evaluated = await evaluate(name, connection);
  const { notices } = evaluated;
  return { name, definition, opened: { name, variables: variablesIn(evaluated), notices, mayMint: () => false } };
}

/** The same as {@link readOrEvaluate}, with an empty definition if the token may not read it. For reports. */
export async function readToShow(name: FullName, connection: Connection): Promise<EnvironmentState> {
  try {
    return await readOrEvaluate(name, connection);
  } catch (error) {
    if (statusOf(error) !== 403 || !(error instanceof EscFault && error.context.isDefinition === true)) throw error;
  }
  const opened = await openByDefaults(name, connection);
  return { name, definition: { yaml: "", etag: "", revision: opened.revision }, opened };
}

/**
 * Writes the text that `edit` returns, and starts again after a concurrent change. If an answer was lost, the next attempt
 * finds nothing to change. Messages of the service mask `values`. @throws EscFault @throws the errors of `edit`
 */
export async function changeEnvironment(
  name: FullName,
  connection: Connection,
  edit: (current: EnvironmentState) => string | undefined,
  values: readonly string[],
  read: typeof readCurrent = readCurrent,
): Promise<ChangeResult> {
  for (const value of values) {
    if (value.length < SHORTEST_HIDDEN) continue;
    connection.cleaner.hide(new Secret(value));
    connection.cleaner.hide(new Secret(JSON.stringify(value).slice(1, -1)));
  }
  let first: EnvironmentState | undefined;
  for (let attempts = 1; attempts <= MOST_ATTEMPTS; attempts += 1) {
    const current = await read(name, connection);
    first ??= current;
    const yaml = edit(current);
    if (yaml === undefined) {
      const wrote = first.definition.etag !== current.definition.etag;
      return { kind: "done", wrote, before: first, after: current };
    }
    if (!isWhole(current)) continue;
    const { etag } = current.definition;
    const update = await updateOrRefusal(name, yaml, etag, connection);
    if (update.kind === "refused") return { ...update, before: current };
    if (update.kind === "conflict") continue;
    if (update.kind === "gated") {
      return { kind: "draft", before: current, ...(await createDraft(name, yaml, etag, connection)) };
    }
    const after = await readBack(() => read(name, connection));
    const isStored = after.definition.etag !== etag && after.definition.revision === update.revision;
    const took = after.hidden === undefined ? edit(after) === undefined : isStored;
    return took
      ? { kind: "done", wrote: true, before: current, after }
      : { kind: "without-effect", before: current, after };
  }
  return { kind: "conflict", attempts: MOST_ATTEMPTS };
}

async function updateOrRefusal(name: FullName, yaml: string, etag: string, connection: Connection) {
  try {
    return await updateDefinition(name, yaml, etag, connection);
  } catch (error) {
    if (!(error instanceof EscFault && error.fault.kind === "status" && isSchemaRefusal(error.fault))) throw error;
    return { kind: "refused", diagnostics: error.fault.diagnostics } as const;
  }
}

/** Returns false for a truncated text, or a change between the two readings: writing it would lose the rest. */
function isWhole({ definition, opened }: EnvironmentState): boolean {
  const own = namesIn(definition);
  return opened.variables.every(
    ({ name, origin, delivery }) =>
      delivery === "file" ||
      origin.source !== "esc" ||
      origin.line === undefined ||
      origin.importedFrom !== undefined ||
      own.has(name),
  );
}

export function formatRevision({ name, definition: { revision } }: EnvironmentState): string {
  return revision === undefined ? formatName(name) : `${formatName(name)}@${revision}`;
}

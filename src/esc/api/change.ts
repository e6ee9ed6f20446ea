/**
 * Changes an ESC environment, for commands such as `set` and `rotate`: reads the definition, writes another text, and reads it back to
 * see whether the change took effect. ESC accepts the text only if the definition is still the one that was read (ETag), so that no
 * change by another user is lost. Otherwise `changeEnvironment` starts again.
 */
import type { Diagnostic, Variable } from "../../core/model.ts";
import { variableNames } from "../definition/definition-variables.ts";
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

/** An environment at one moment: its definition, and the values that it has when it is opened. */
export interface EnvironmentState {
  readonly name: FullName;
  readonly definition: Definition;
  readonly opened: OpenedEnvironment;
  /**
   * Present if ESC does not open the environment: the variables whose values are not known, by name, with UNSEEN in place of the values.
   * `opened` then has only the other variables.
   */
  readonly hidden?: ReadonlyMap<string, Variable>;
  /** Why ESC does not open the environment: opening needs an approval, or a schema refuses a value. Present if `hidden` is. */
  readonly hiddenBy?: "approval" | "schema";
}

export type ChangeResult =
  /** The environment is as requested. `wrote` is false if it already was, so that nothing was written. */
  | {
      readonly kind: "done";
      readonly wrote: boolean;
      readonly before: EnvironmentState;
      readonly after: EnvironmentState;
    }
  /** The definition was written, but ESC returns other values, for instance because an import overrides them. */
  | { readonly kind: "without-effect"; readonly before: EnvironmentState; readonly after: EnvironmentState }
  /** Changes need an approval, so that the change was filed as a draft. */
  | ({ readonly kind: "draft"; readonly before: EnvironmentState } & Draft)
  /** Other users changed the definition at each attempt. Nothing was written. */
  | { readonly kind: "conflict"; readonly attempts: number }
  /** A schema in the environment refuses the changed values. Nothing was written. */
  | { readonly kind: "refused"; readonly before: EnvironmentState; readonly diagnostics: readonly Diagnostic[] };

/** The limit on attempts if other users change the definition at the same time. */
const MAX_ATTEMPTS = 4;

/** Shorter values are not masked in messages of the service, because they occur there by chance. */
const MIN_MASKED_LENGTH = 4;

/** Reads and opens an environment. @throws EscFault @throws SophiaError (esc-value) for values that no variable can have */
export async function readCurrent(name: FullName, connection: Connection): Promise<EnvironmentState> {
  const definition = await readDefinition(name, connection);
  return { name, definition, opened: await openByDefaults(name, connection) };
}

/**
 * Does the same as {@link readCurrent}. If opening needs an approval, or a schema refuses the values, the environment is only
 * evaluated: a change may correct the values that the schema refuses.
 */
export async function readOrEvaluate(name: FullName, connection: Connection): Promise<EnvironmentState> {
  const definition = await readDefinition(name, connection);
  let hiddenBy: NonNullable<EnvironmentState["hiddenBy"]>;
  try {
    return { name, definition, opened: await openByDefaults(name, connection) };
  } catch (error) {
    // Any other error ends the reading.
    const canEvaluate = error instanceof EscFault && (needsApproval(error.fault) || isSchemaRefusal(error.fault));
    if (!canEvaluate) throw error;
    hiddenBy = needsApproval(error.fault) ? "approval" : "schema";
  }
  const { opened, isUnknown } = await evaluateInstead(name, connection);
  const hidden = new Map(opened.variables.filter(isUnknown).map((variable) => [variable.name, variable]));
  const variables = opened.variables.filter((variable) => !isUnknown(variable));
  return { name, definition, opened: { ...opened, variables }, hidden, hiddenBy };
}

/**
 * Does the same as {@link readCurrent}. If ESC does not open the environment because a schema refuses a value, `opened` has the values
 * that are not secret, and UNSEEN in place of the others.
 */
export async function readDespiteSchema(name: FullName, connection: Connection): Promise<EnvironmentState> {
  const definition = await readDefinition(name, connection);
  try {
    return { name, definition, opened: await openByDefaults(name, connection) };
  } catch (error) {
    if (!(error instanceof EscFault && isSchemaRefusal(error.fault))) throw error;
  }
  return { name, definition, opened: (await evaluateInstead(name, connection)).opened };
}

/** Evaluates an environment that ESC does not open. Unknown values are UNSEEN. */
async function evaluateInstead(
  name: FullName,
  connection: Connection,
): Promise<{ readonly opened: OpenedEnvironment; readonly isUnknown: (variable: Variable) => boolean }> {
  const { evaluate, variablesIn } = await import("./evaluate.ts");
  const evaluated = await evaluate(name, connection);
  const { notices } = evaluated;
  return {
    opened: { name, variables: variablesIn(evaluated), notices, mayMint: () => false },
    isUnknown: (variable) => evaluated.variables.get(variable.name)?.kind === "unknown",
  };
}

/**
 * Does the same as {@link readOrEvaluate}, for reports only: if the token may not read the definition, the result has an empty text, and
 * must not be changed.
 */
export async function readToShow(name: FullName, connection: Connection): Promise<EnvironmentState> {
  try {
    return await readOrEvaluate(name, connection);
  } catch (error) {
    const mayNotRead = error instanceof EscFault && error.context.isDefinition === true && statusOf(error) === 403;
    if (!mayNotRead) throw error;
  }
  const opened = await openByDefaults(name, connection);
  return { name, definition: { yaml: "", etag: "", revision: opened.revision }, opened };
}

/**
 * Writes the text that `edit` returns, and starts again after a change by another user. If the answer to a write was lost, the
 * next attempt finds nothing to change.
 *
 * @param edit returns the new text; undefined if the environment is as requested
 * @param values the values that the change writes. They are masked in messages of the service
 * @throws EscFault @throws the errors of `edit`
 */
export async function changeEnvironment(
  name: FullName,
  connection: Connection,
  edit: (current: EnvironmentState) => string | undefined,
  values: readonly string[],
  read: typeof readCurrent = readCurrent,
): Promise<ChangeResult> {
  maskValues(values, connection);
  let first: EnvironmentState | undefined;
  for (let attempts = 1; attempts <= MAX_ATTEMPTS; attempts += 1) {
    const current = await read(name, connection);
    first ??= current;
    const yaml = edit(current);
    if (yaml === undefined) {
      // If the definition is no longer the first one, an earlier attempt has written it and its answer was lost, or another user has
      // made the same change.
      const wrote = first.definition.etag !== current.definition.etag;
      return { kind: "done", wrote, before: first, after: current };
    }
    // The text was truncated, or has changed between two readings. Writing it would lose a part of the definition.
    if (!isComplete(current)) continue;
    const { etag } = current.definition;
    const update = await updateOrRefusal(name, yaml, etag, connection);
    if (update.kind === "refused") return { ...update, before: current };
    if (update.kind === "conflict") continue;
    if (update.kind === "gated") {
      return { kind: "draft", before: current, ...(await createDraft(name, yaml, etag, connection)) };
    }
    const after = await readBack(() => read(name, connection));
    // Hidden values cannot be compared. In that case, the change took effect if ESC has stored the revision that was written.
    const isStored = after.definition.etag !== etag && after.definition.revision === update.revision;
    const tookEffect = after.hidden === undefined ? edit(after) === undefined : isStored;
    return tookEffect
      ? { kind: "done", wrote: true, before: current, after }
      : { kind: "without-effect", before: current, after };
  }
  return { kind: "conflict", attempts: MAX_ATTEMPTS };
}

/** Masks the values in messages of the service. */
function maskValues(values: readonly string[], { cleaner }: Connection): void {
  for (const value of values) {
    if (value.length < MIN_MASKED_LENGTH) continue;
    cleaner.hide(new Secret(value));
    // The service may quote the value as JSON.
    cleaner.hide(new Secret(JSON.stringify(value).slice(1, -1)));
  }
}

/** Updates the definition. @returns the kind `refused` if a schema in the new definition refuses a value */
async function updateOrRefusal(name: FullName, yaml: string, etag: string, connection: Connection) {
  try {
    return await updateDefinition(name, yaml, etag, connection);
  } catch (error) {
    if (!(error instanceof EscFault && isSchemaRefusal(error.fault))) throw error;
    return { kind: "refused", diagnostics: error.fault.diagnostics } as const;
  }
}

/**
 * Returns false if the definition lacks a variable that ESC opened from it: its text was truncated, or it changed between the
 * two readings.
 */
function isComplete({ definition, opened }: EnvironmentState): boolean {
  const definedNames = variableNames(definition);
  return opened.variables.every(
    ({ name, origin, delivery }) =>
      delivery === "file" ||
      origin.source !== "esc" ||
      origin.line === undefined ||
      origin.importedFrom !== undefined ||
      definedNames.has(name),
  );
}

/** Returns the name of the environment with its revision, such as `acme/sophia/dev@12`. */
export function formatRevision({ name, definition: { revision } }: EnvironmentState): string {
  return revision === undefined ? formatName(name) : `${formatName(name)}@${revision}`;
}

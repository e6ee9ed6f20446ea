/** Changing an environment: what it has now, another definition in its place, and whether that took. */
import { EscFault } from "../faults/fault.ts";
import { needsApproval } from "../faults/refusal.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { Secret } from "../settings/secret.ts";
import type { Connection } from "../transport/connection.ts";
import { changing, createDraft, type Definition, type Draft, readDefinition, updateDefinition } from "./definition.ts";
import { namesIn } from "../definition/verify.ts";
import { openByDefaults, type OpenedEnvironment } from "./session.ts";

/** What an environment has now: the text of its definition, and the values that it gives. */
export interface Current {
  readonly name: FullName;
  readonly definition: Definition;
  readonly opened: OpenedEnvironment;
  /**
   * The variables whose values nobody could read, where opening it has to be approved; `opened` then has those alone
   * that are known without opening it.
   */
  readonly hidden?: ReadonlySet<string>;
}

export type Changed =
  /** All is as it was to be. `wrote`: by this change, and not before. */
  | { readonly kind: "done"; readonly wrote: boolean; readonly before: Current; readonly after: Current }
  /** It was written, and the environment gives something else all the same. */
  | { readonly kind: "without-effect"; readonly before: Current; readonly after: Current }
  /** Somebody has to approve it first. */
  | ({ readonly kind: "draft"; readonly before: Current } & Draft)
  /** Others changed the definition each time. Nothing of theirs is lost, and nothing was written. */
  | { readonly kind: "conflict"; readonly attempts: number };

/** So often a definition is read anew because somebody has changed it meanwhile. */
const MOST_ATTEMPTS = 4;

/** Shorter ones stand in the words of the service by chance. */
const SHORTEST_HIDDEN = 4;

/** @throws EscFault @throws SophiaError for values that no environment variable can have */
export async function readCurrent(name: FullName, connection: Connection): Promise<Current> {
  const definition = await readDefinition(name, connection);
  return { name, definition, opened: await openByDefaults(name, connection) };
}

/** As {@link readCurrent}; where opening has to be approved, what is known without that. @throws as readCurrent does */
export async function readOrEvaluate(name: FullName, connection: Connection): Promise<Current> {
  const definition = await readDefinition(name, connection);
  try {
    return { name, definition, opened: await openByDefaults(name, connection) };
  } catch (error) {
    if (!(error instanceof EscFault && needsApproval(error.fault))) throw error;
  }
  const { evaluate } = await import("./evaluate.ts");
  const { variables: all, notices } = await evaluate(name, connection);
  const variables = Array.from(all.values()).flatMap((one) => (one.kind === "known" ? [one.variable] : []));
  const hidden = new Set(Array.from(all).flatMap(([key, { kind }]) => (kind === "unknown" ? [key] : [])));
  return { name, definition, opened: { name, variables, notices, mayMint: () => false }, hidden };
}

/** As {@link readOrEvaluate}; of a definition that the token may not read nothing is known. For what writes nothing. */
export async function readToShow(name: FullName, connection: Connection): Promise<Current> {
  try {
    return await readOrEvaluate(name, connection);
  } catch (error) {
    const isForbidden = error instanceof EscFault && error.fault.kind === "status" && error.fault.status === 403;
    if (!isForbidden || error.context.isDefinition !== true) throw error;
  }
  const opened = await openByDefaults(name, connection);
  const { revision } = opened;
  return { name, definition: { yaml: "", etag: "", ...(revision === undefined ? {} : { revision }) }, opened };
}

/**
 * Writes what `edit` makes of the definition, anew from what is there where somebody else changed it meanwhile. Where an
 * answer was lost, the next attempt finds that nothing is left to do.
 *
 * @param edit the new text; undefined where all is as it is to be
 * @param values what no message of the service may show
 * @param read how what is there is read; where values are hidden, that the service has the revision as it was sent is
 *   all that can be said of its effect
 * @throws EscFault @throws what `edit` throws
 */
export async function changeEnvironment(
  name: FullName,
  connection: Connection,
  edit: (current: Current) => string | undefined,
  values: readonly string[],
  read: typeof readCurrent = readCurrent,
): Promise<Changed> {
  for (const value of values) {
    if (value.length < SHORTEST_HIDDEN) continue;
    connection.cleaner.hide(new Secret(value));
    connection.cleaner.hide(new Secret(JSON.stringify(value).slice(1, -1)));
  }
  let first: Current | undefined;
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
    const update = await updateDefinition(name, yaml, etag, connection);
    if (update.kind === "conflict") continue;
    if (update.kind === "gated") {
      const draft = await createDraft(name, yaml, etag, connection);
      return { kind: "draft", before: current, ...draft };
    }
    const after = await changing(() => read(name, connection));
    const isStored = after.definition.etag !== etag && after.definition.revision === update.revision;
    const took = after.hidden === undefined ? edit(after) === undefined : isStored;
    return took
      ? { kind: "done", wrote: true, before: current, after }
      : { kind: "without-effect", before: current, after };
  }
  return { kind: "conflict", attempts: MOST_ATTEMPTS };
}

/**
 * Whether the text has all the variables that the environment says to define itself. It has not where somebody has changed
 * it between the two readings, or where less came than was sent: to write that back would lose the rest.
 */
function isWhole({ definition, opened }: Current): boolean {
  const own = namesIn(definition.yaml);
  return opened.variables.every(
    ({ name, origin, delivery }) =>
      delivery === "file" ||
      origin.source !== "esc" ||
      origin.line === undefined ||
      origin.importedFrom !== undefined ||
      own.has(name),
  );
}

/** `org/project/name@12`, where the service tells the revision. */
export function formatRevision({ name, definition: { revision } }: Current): string {
  return revision === undefined ? formatName(name) : `${formatName(name)}@${revision}`;
}

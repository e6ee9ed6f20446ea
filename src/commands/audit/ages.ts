/** How old the secrets of a contract are, by the history of ESC. */
import type { Contract, Declaration } from "../../contract/model.ts";
import { dueAt, rotationOf } from "../../contract/rotation.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { Histories, type LastChange } from "../../esc/api/history.ts";
import { listRevisions } from "../../esc/api/revisions.ts";
import { EscFault } from "../../esc/faults/fault.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import type { FullName } from "../../esc/settings/names.ts";
import type { Connection, Progress } from "../../esc/transport/connection.ts";

/** When a declared secret last changed. It holds no value. */
export interface SecretAge {
  readonly name: string;
  /** Absent where ESC does not have it, or nobody could tell. */
  readonly change?: LastChange;
  /** When it ought to have been replaced; absent where it need not be, or nobody can tell. */
  readonly due?: Date;
  /** Whether that time has come; undefined where nobody can tell. */
  readonly overdue: boolean | undefined;
}

/**
 * Asks when each secret of the contract last changed, in the environments of the settings: later ones win.
 *
 * @throws SophiaError (125) where ESC cannot be asked; that the token may not see something is no failure
 */
export async function secretAges(
  contract: Contract,
  settings: EscSettings,
  progress: Progress,
  now: Date,
): Promise<readonly SecretAge[]> {
  const secrets = [...contract.variables.values()].filter(({ secret }) => secret);
  const answers = await askEsc(settings, progress, (name, connection) => changesIn(name, connection, secrets));
  if (answers.kind === "unavailable") throw new SophiaError(answers.failure);
  if (answers.kind === "refused") {
    if (answers.refused === "token") throw new SophiaError(answers.failure);
    const what = `the definition of ${settings.environments.map(({ text }) => text).join(", ")}`;
    return secrets.map(({ name }) => ({ name, change: { kind: "unseen", what }, overdue: undefined }));
  }
  const environments = answers.results.toReversed();
  return secrets.map((declaration) => {
    const change = environments.map((changes) => changes.get(declaration.name)).find((one) => one !== undefined);
    return ageOf(contract, declaration, change, now);
  });
}

async function changesIn(
  name: FullName,
  connection: Connection,
  secrets: readonly Declaration[],
): Promise<ReadonlyMap<string, LastChange>> {
  await requireKnown(name, connection);
  const histories = new Histories(connection);
  const changes = new Map<string, LastChange>();
  await Promise.all(
    secrets.map(async (declaration) => {
      for (const known of [declaration.name, ...declaration.aliases.map((alias) => alias.name)]) {
        const change =
          (await histories.lastChange(name, ["environmentVariables", known])) ??
          (await histories.lastChange(name, ["files", known]));
        if (change === undefined) continue;
        changes.set(declaration.name, change);
        return;
      }
    }),
  );
  return changes;
}

/** Lets a name of two parts have its other meaning. @throws EscFault for what the service does not know */
async function requireKnown(name: FullName, connection: Connection): Promise<void> {
  try {
    await listRevisions(name, connection, 1);
  } catch (error) {
    const isForbidden = error instanceof EscFault && error.fault.kind === "status" && error.fault.status === 403;
    if (!isForbidden) throw error;
  }
}

function ageOf(contract: Contract, declaration: Declaration, change: LastChange | undefined, now: Date): SecretAge {
  const { name } = declaration;
  const rotation = rotationOf(contract, declaration);
  if (change === undefined) return { name, overdue: undefined };
  if (rotation === undefined || change.kind === "minted") return { name, change, overdue: false };
  if (change.kind === "unseen") return { name, change, overdue: undefined };
  const due = dueAt(change.kind === "changed" ? change.revision.created : change.since.created, rotation);
  const isOver = due <= now;
  // It is older than what was looked at: how much, nobody knows.
  if (change.kind === "unchanged" && !isOver) return { name, change, overdue: undefined };
  return { name, change, due, overdue: isOver };
}

/** What the ages do not tell since the token may not see it, each thing once. */
export function unseenOf(ages: readonly SecretAge[]): readonly string[] {
  const things = new Map<string, string[]>();
  for (const { name, change } of ages) {
    if (change?.kind === "unseen") things.set(change.what, [...(things.get(change.what) ?? []), printable(name)]);
  }
  return Array.from(things, ([what, names]) => `${printable(what)}: not visible to this token (${names.join(", ")})`);
}

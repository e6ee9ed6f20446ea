import { namesOfDeclaration } from "../../contract/check-contract.ts";
import type { Contract, Declaration } from "../../contract/contract-model.ts";
import { dueAt, rotationOf } from "../../contract/rotation.ts";
import { describeAge, formatDay } from "../../core/day.ts";
import { SophiaError } from "../../core/error.ts";
import { grouped } from "../../core/grouped.ts";
import { printable } from "../../core/text.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { DefinitionHistories, type LastChange } from "../../esc/api/history.ts";
import { listRevisions } from "../../esc/api/definition-requests.ts";
import { statusOf } from "../../esc/faults/esc-fault.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import type { FullName } from "../../esc/settings/environment-names.ts";
import type { Connection, Progress } from "../../esc/transport/connection.ts";

export interface SecretAge {
  readonly name: string;
  /** Undefined if ESC does not have it, or if unknown. */
  readonly change?: LastChange;
  /** The time by which it must be replaced; undefined if there is none, or if unknown. */
  readonly due?: Date;
  readonly overdue: boolean | undefined;
}

export interface SecretAudit {
  readonly ages: readonly SecretAge[];
  /** In the order of `ESC_ENV`; none if the service refuses an environment. */
  readonly definitions: readonly AuditedDefinition[];
}

export interface AuditedDefinition {
  readonly name: FullName;
  /** Undefined if the token may not see it. */
  readonly yaml: string | undefined;
}

export type IsSecret = (declaration: Declaration) => boolean;

const isDeclaredSecret: IsSecret = ({ secret }) => secret;

/** Asks ESC when each secret last changed; the last environment wins. @throws SophiaError (125), but not for hidden history */
export async function secretAges(
  contract: Contract,
  settings: EscSettings,
  progress: Progress,
  now: Date,
  isSecret: IsSecret = isDeclaredSecret,
): Promise<SecretAudit> {
  const secrets = secretsIn(contract, isSecret);
  const answers = await askEsc(settings, progress, (name, connection) => changesIn(name, connection, secrets));
  if (answers.kind === "unavailable") throw new SophiaError(answers.failure);
  if (answers.kind === "refused") {
    if (answers.refused === "token") throw new SophiaError(answers.failure);
    const what = `the definition of ${settings.environments.map(({ text }) => text).join(", ")}`;
    return {
      ages: secrets.map(({ name }) => ({ name, change: { kind: "unseen", what }, overdue: undefined })),
      definitions: [],
    };
  }
  const environments = answers.results.toReversed();
  const ages = secrets.map((declaration) => {
    const change = environments.map(({ changes }) => changes.get(declaration.name)).find((one) => one !== undefined);
    return ageOf(contract, declaration, change, now);
  });
  return { ages, definitions: answers.results };
}

export function unknownAges(contract: Contract, isSecret: IsSecret = isDeclaredSecret): SecretAudit {
  return { ages: secretsIn(contract, isSecret).map(({ name }) => ({ name, overdue: undefined })), definitions: [] };
}

function secretsIn({ variables }: Contract, isSecret: IsSecret): readonly Declaration[] {
  return [...variables.values()].filter(isSecret);
}

async function changesIn(
  name: FullName,
  connection: Connection,
  secrets: readonly Declaration[],
): Promise<AuditedDefinition & { readonly changes: ReadonlyMap<string, LastChange> }> {
  await requireKnown(name, connection);
  const histories = new DefinitionHistories(connection);
  const changes = new Map<string, LastChange>();
  await Promise.all(
    secrets.map(async (declaration) => {
      for (const known of namesOfDeclaration(declaration)) {
        const change =
          (await histories.lastChange(name, ["environmentVariables", known])) ??
          (await histories.lastChange(name, ["files", known]));
        if (change === undefined) continue;
        changes.set(declaration.name, change);
        return;
      }
    }),
  );
  return { name, yaml: await histories.definitionText(name), changes };
}

/** Checks that the environment exists, so that a name of two parts gets its other meaning. @throws EscFault */
async function requireKnown(name: FullName, connection: Connection): Promise<void> {
  try {
    await listRevisions(name, connection, 1);
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
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
  // It is older than the revisions that were read.
  if (change.kind === "unchanged" && !isOver) return { name, change, overdue: undefined };
  return { name, change, due, overdue: isOver };
}

export function unseenOf(ages: readonly SecretAge[]): readonly string[] {
  const hidden = ages.flatMap(({ name, change }) => (change?.kind === "unseen" ? [{ name, what: change.what }] : []));
  return Array.from(
    grouped(hidden, ({ what }) => what),
    ([what, ofIt]) => {
      const names = ofIt.map(({ name }) => printable(name)).join(", ");
      return `${printable(what)}: not visible to this token (${names})`;
    },
  );
}

export function ageLine({ name, change, due, overdue }: SecretAge, now: Date): string {
  const shown = printable(name);
  if (change === undefined) return `➖ ${shown}: Not in ESC`;
  switch (change.kind) {
    case "minted":
      return `✅ ${shown}: New on every open (${change.environment})`;
    case "unseen":
      return `➖ ${shown}: Not visible to this token`;
    case "changed":
    case "unchanged": {
      const isKnown = change.kind === "changed";
      const { number, created, by } = isKnown ? change.revision : change.since;
      const version = `${change.environment}@${number}`;
      const age = isKnown
        ? `changed ${formatDay(created)}, ${describeAge(created, now)}${by === "" ? "" : `, by ${by}`} (${version})`
        : `unchanged since ${formatDay(created)} or earlier (${version}, the oldest revision that was read)`;
      if (overdue === true && due !== undefined) return `❌ ${shown}: Overdue since ${formatDay(due)}; ${age}`;
      return `✅ ${shown}: ${age.charAt(0).toUpperCase()}${age.slice(1)}`;
    }
  }
}

export function ageForPrograms({ name, change, due, overdue }: SecretAge): object {
  const changed = change?.kind === "changed" ? change.revision : undefined;
  const since = change?.kind === "unchanged" ? change.since : undefined;
  return {
    name,
    lastChanged: changed?.created.toISOString() ?? null,
    by: changed?.by || null,
    revision: changed?.number ?? null,
    overdue: overdue ?? null,
    state: change?.kind ?? "absent",
    environment: change !== undefined && change.kind !== "unseen" ? change.environment : null,
    due: due?.toISOString() ?? null,
    unchangedSince: since?.created.toISOString() ?? null,
  };
}

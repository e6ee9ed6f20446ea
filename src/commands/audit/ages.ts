/**
 * Reads from the history of ESC when each secret last changed, and decides according to the contract whether its rotation is
 * overdue. `audit` and `check --overdue` use this file, and age-text.ts describes the result.
 */
import { namesOfDeclaration } from "../../contract/check-contract.ts";
import type { Contract, Declaration } from "../../contract/contract-model.ts";
import { calculateDueDate, rotationIntervalOf } from "../../contract/rotation.ts";
import { SophiaError } from "../../core/error.ts";
import { askEsc } from "../../esc/api/ask.ts";
import { DefinitionHistories, type LastChange } from "../../esc/api/history.ts";
import { listRevisions } from "../../esc/api/definition-requests.ts";
import { statusOf } from "../../esc/faults/esc-fault.ts";
import type { EscSettings } from "../../esc/settings/access-settings.ts";
import type { FullName } from "../../esc/settings/environment-names.ts";
import type { Connection, Progress } from "../../esc/transport/connection.ts";

/** The age of one secret. */
export interface SecretAge {
  readonly name: string;
  /** The last change of the secret; undefined if ESC does not have the secret, or was not read. */
  readonly change?: LastChange;
  /**
   * The time by which the user must rotate the secret; undefined if it need not be rotated, or if the time is not known.
   */
  readonly due?: Date;
  /** Undefined if nothing shows whether the rotation is overdue. */
  readonly overdue: boolean | undefined;
}

/** The ages of secrets, and the definitions that were read for them. */
export interface SecretAgesResult {
  readonly ages: readonly SecretAge[];
  /** In the order of `ESC_ENV`; none if the service refuses an environment, or if ESC was not read. */
  readonly definitions: readonly AuditedDefinition[];
}

export interface AuditedDefinition {
  readonly name: FullName;
  /** Undefined if the token may not see it. */
  readonly yaml: string | undefined;
}

/** Selects the variables whose ages are read. */
export type SecretFilter = (declaration: Declaration) => boolean;

const isDeclaredSecret: SecretFilter = ({ secret }) => secret;

/**
 * Reads when each secret last changed: by default each variable that the contract declares secret. If several environments have it,
 * the last one decides, since a start takes its value.
 *
 * @throws SophiaError (125) if ESC cannot be read, or refuses the token. A history that the token may not see is no error; its
 *   secret is reported as `unseen`
 */
export async function readSecretAges(
  contract: Contract,
  settings: EscSettings,
  progress: Progress,
  { now, isSecret = isDeclaredSecret }: { readonly now: Date; readonly isSecret?: SecretFilter | undefined },
): Promise<SecretAgesResult> {
  const secrets = selectSecrets(contract, isSecret);
  const answers = await askEsc(settings, progress, (name, connection) => readLastChanges(name, connection, secrets));
  if (answers.kind === "unavailable") throw new SophiaError(answers.failure);
  if (answers.kind === "refused") {
    if (answers.refused === "token") throw new SophiaError(answers.failure);
    const unseenDefinition = `the definition of ${settings.environments.map(({ text }) => text).join(", ")}`;
    const ages = secrets.map(({ name }) => ({
      name,
      change: { kind: "unseen", what: unseenDefinition } as const,
      overdue: undefined,
    }));
    return { ages, definitions: [] };
  }
  const environmentsByPrecedence = answers.results.toReversed();
  const ages = secrets.map((secret) => {
    const changes = environmentsByPrecedence.flatMap((environment) => environment.changes.get(secret.name) ?? []);
    return judgeAge(contract, secret, changes[0], now);
  });
  return { ages, definitions: answers.results };
}

/** Returns the result for all secrets if ESC is not read. */
export function createUnknownAges(contract: Contract, isSecret: SecretFilter = isDeclaredSecret): SecretAgesResult {
  const ages = selectSecrets(contract, isSecret).map(({ name }) => ({ name, overdue: undefined }));
  return { ages, definitions: [] };
}

function selectSecrets({ variables }: Contract, isSecret: SecretFilter): readonly Declaration[] {
  return [...variables.values()].filter(isSecret);
}

/** Reads the changes of all secrets in one environment. `DefinitionHistories` reads each definition and revision only once. */
async function readLastChanges(
  name: FullName,
  connection: Connection,
  secrets: readonly Declaration[],
): Promise<AuditedDefinition & { readonly changes: ReadonlyMap<string, LastChange> }> {
  await requireEnvironment(name, connection);
  const histories = new DefinitionHistories(connection);
  const changes = new Map<string, LastChange>();
  await Promise.all(
    secrets.map(async (secret) => {
      const change = await findLastChange(name, histories, secret);
      if (change !== undefined) changes.set(secret.name, change);
    }),
  );
  return { name, yaml: await histories.definitionText(name), changes };
}

/**
 * Finds the last change under the secret's name or, if the environment does not have it, under one of its aliases. ESC may give a
 * name as a variable or as a file; the variable is looked for first.
 */
async function findLastChange(
  environment: FullName,
  histories: DefinitionHistories,
  secret: Declaration,
): Promise<LastChange | undefined> {
  for (const name of namesOfDeclaration(secret)) {
    const change =
      (await histories.lastChange(environment, ["environmentVariables", name])) ??
      (await histories.lastChange(environment, ["files", name]));
    if (change !== undefined) return change;
  }
  return undefined;
}

/**
 * Checks that the environment exists, so that a name of two parts (`a/b`) can be tried with its other meaning.
 *
 * @throws EscFault. The status 403 is no error here: the environment exists, but the token may not see its revisions
 */
async function requireEnvironment(name: FullName, connection: Connection): Promise<void> {
  try {
    await listRevisions(name, connection, 1);
  } catch (error) {
    if (statusOf(error) !== 403) throw error;
  }
}

/** Decides whether the rotation of a secret is overdue. */
function judgeAge(contract: Contract, declaration: Declaration, change: LastChange | undefined, now: Date): SecretAge {
  const { name } = declaration;
  const rotation = rotationIntervalOf(contract, declaration);
  if (change === undefined) return { name, overdue: undefined };
  if (rotation === undefined || change.kind === "minted") return { name, change, overdue: false };
  if (change.kind === "unseen") return { name, change, overdue: undefined };
  const newestPossibleChange = change.kind === "changed" ? change.revision.created : change.since.created;
  const due = calculateDueDate(newestPossibleChange, rotation);
  const overdue = due <= now;
  // The value is older than the oldest revision that was read. Its rotation may be overdue, but nothing shows that.
  if (change.kind === "unchanged" && !overdue) return { name, change, overdue: undefined };
  return { name, change, due, overdue };
}

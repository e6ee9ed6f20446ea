/**
 * The command `sophia-run rotate --token`. It replaces the Pulumi access token with which sophia-run opens ESC in GitHub Actions and
 * in Codespaces (in this file: the launcher's token). The token is stored there as the repository secret ESC_TOKEN.
 *
 * The order of the steps keeps the old token working if anything fails:
 *
 * 1. Create the new token, with the permissions of another token (ESC_ADMIN_TOKEN).
 * 2. Check that it opens the ESC environments.
 * 3. Store it as the repository secret.
 * 4. Delete the old token.
 */
import { randomBytes } from "node:crypto";
import type { Values } from "../../../command-line/options.ts";
import { resolveSettings, type Settings } from "../../../command-line/settings.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { loadContract } from "../../../contract/find-contract.ts";
import type { Context } from "../../../core/context.ts";
import { ExitStatus, SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { findDefaultOrganization } from "../../../esc/api/ask.ts";
import { openByDefaults } from "../../../esc/api/open-session.ts";
import {
  createToken,
  deleteToken,
  findOpenRole,
  identifyToken,
  type ListedToken,
  listTokens,
  ownerOfIdentity,
  type TokenIdentity,
} from "../../../esc/api/tokens.ts";
import type { EscSettings } from "../../../esc/settings/access-settings.ts";
import type { Secret } from "../../../esc/settings/secret.ts";
import { invalidSetting } from "../../../esc/settings/variables.ts";
import type { Connection } from "../../../esc/transport/connection.ts";
import { printReport } from "../../../output/colour.ts";
import { createProgress } from "../../../output/progress.ts";
import { askWithoutEnvironment } from "../../parts/esc-requests.ts";
import { findEscAccess } from "../../parts/command-access.ts";
import type { Command } from "../../command.ts";
import { askForConfirmation } from "../../parts/confirm.ts";
import { type GithubProduct, GITHUB_PRODUCTS, environmentOfGh, type GhLocation } from "../../parts/gh-command.ts";
import { askEachTargetEnvironment } from "../../parts/writing/esc-target.ts";
import { findWriteTarget, createWriteQuestion } from "../../parts/writing/write-access.ts";
import { addErrorDetails } from "../../parts/writing/write-change.ts";
import {
  chooseRole,
  describePlan,
  findOwner,
  type OldToken,
  parseExpiry,
  TOKEN_NAME_PREFIX,
  type TokenPlan,
} from "./token-plan.ts";
import { findSecretUpdateTime, storeToken } from "./github-repository.ts";

/** The settings that all steps need. */
interface TokenRotation {
  /** The settings of ESC with the token that creates and deletes tokens (`ESC_ADMIN_TOKEN`). */
  readonly adminSettings: EscSettings;
  readonly sendRequest: RequestSender;
  readonly settings: Settings;
  readonly contract: Contract;
  readonly context: Context;
}

/** Returns 0; 1 if the user declines. Unless it returns 0, the old token still works. @throws SophiaError (125) */
export const rotateToken: Command = async ({ options }, context) => {
  const { rotation, repository, expiresAt, launcherSettings, target } = await prepareRotation(options, context);
  const plan = await createPlan({ options, expiresAt, launcherSettings }, rotation);
  const environments = rotation.adminSettings.environments.map(({ text }) => text).join(", ");
  printReport(context, describePlan(plan, environments));
  if (options["dry-run"] === true) {
    printReport(context, "Nothing was created: --dry-run.\n");
    return ExitStatus.ok;
  }
  const question =
    target.chosenBy === undefined
      ? "Create the token?"
      : createWriteQuestion(`Create the token for ${environments}`, target);
  if (!(await askForConfirmation(question, options["yes"] === true, context))) {
    printReport(context, "Nothing was created.\n");
    return ExitStatus.unmet;
  }
  await createAndStore(plan, repository, rotation);
  await removeOldToken(plan.oldToken, rotation);
  printReport(
    context,
    "The value of the new token is not shown. Other users of the old one (.env, a token file, a running Codespace) need a token of " +
      "their own, or a restart.\n",
  );
  return ExitStatus.ok;
};

/** The GitHub repository whose secret is replaced. */
interface SecretRepository {
  readonly gh: GhLocation;
  /** When the secret was last changed, for each product of `GITHUB_PRODUCTS`; undefined if the secret does not exist. */
  readonly timesBefore: ReadonlyMap<GithubProduct, string | undefined>;
}

/** Reads all settings, and checks that gh can list the secrets and that a token may write. @throws SophiaError (125) */
async function prepareRotation(options: Values, context: Context) {
  const settings = resolveSettings(options, context.environment);
  // The options are checked before anything is read.
  const expiresAt = parseExpiry(options["expires"], Date.now());
  const contract = await loadContract(settings, context);
  const gh = { cwd: context.project, environment: environmentOfGh(context.environment, contract) };
  const times = await Promise.all(
    GITHUB_PRODUCTS.map(async (app) => [app, await findSecretUpdateTime(app, gh)] as const),
  );
  const repository: SecretRepository = { gh, timesBefore: new Map(times) };
  const target = await findWriteTarget(undefined, settings, context, {
    isDry: options["dry-run"] === true,
    isConfirmed: options["yes"] === true,
    alwaysByAdmin: true,
    remedy: (environment) => `set ESC_ENV in the environment: export ESC_ENV=${environment}`,
  });
  const { access } = await findEscAccess(settings, context, {}, { contract });
  const launcherSettings = access.kind === "on" ? access.settings : undefined;
  const sendRequest = createRequestSender(settings, context);
  const rotation: TokenRotation = { adminSettings: target.esc, sendRequest, settings, contract, context };
  return { rotation, repository, expiresAt, launcherSettings, target };
}

/**
 * Creates the new token, checks it, and stores it as the repository secret. Deletes it again after a failure, unless it may already
 * be stored.
 *
 * @throws SophiaError (125), which says which tokens work now
 */
async function createAndStore(
  plan: TokenPlan,
  { gh, timesBefore }: SecretRepository,
  rotation: TokenRotation,
): Promise<void> {
  const { context } = rotation;
  const name = createTokenName(new Date());
  const token = await createNamedToken(name, plan, rotation);
  let mayBeStored = false;
  try {
    printReport(context, `✅ ${name} is created.\n`);
    await requireOpening(token.value, rotation);
    printReport(context, `✅ It opens the environment.\n`);
    for (const app of GITHUB_PRODUCTS) {
      // From here on the repository may have the new token, even if storing it fails.
      mayBeStored = true;
      await storeToken(app, token.value, timesBefore.get(app), gh);
      printReport(context, `✅ It is stored as the repository secret ESC_TOKEN for ${app}.\n`);
    }
  } catch (error) {
    if (!mayBeStored) throw await deleteUnusedToken(error, name, token.id, plan, rotation);
    const state = `the old token still works, and so does ${name}, which may already be stored as a secret; start again`;
    throw addErrorDetails(error, state);
  }
}

/** Sends a request that concerns no environment, with the token of these settings. @throws SophiaError (125) if it fails */
type RequestSender = <T>(account: EscSettings, send: (connection: Connection) => Promise<T>) => Promise<T>;

function createRequestSender(settings: Settings, context: Context): RequestSender {
  return async (account, send) => {
    const progress = await createProgress(context, settings);
    // `askWithoutEnvironment` returns undefined if it sent nothing. The answer itself may be undefined, too, so it is wrapped.
    const answering = askWithoutEnvironment(account, progress, async (connection) => ({
      answer: await send(connection),
    }));
    const wrapped = await answering.finally(progress.done);
    if (wrapped === undefined) throw new TypeError("no request was sent");
    return wrapped.answer;
  };
}

/** Creates the new token. @throws SophiaError (125) with advice about a token that may exist although no answer came */
async function createNamedToken(
  name: string,
  { owner, expiresAt, roleId }: TokenPlan,
  { adminSettings, sendRequest }: TokenRotation,
): ReturnType<typeof createToken> {
  // `createPlan` recognizes a personal token by the name before the colon.
  const description = `${name}: opens an ESC environment`;
  try {
    return await sendRequest(adminSettings, (connection) =>
      createToken(owner, { name, description, expires: expiresAt, roleId }, connection),
    );
  } catch (error) {
    // The answer may have been lost after the service had created the token.
    throw addErrorDetails(error, `if a token ${name} exists anyway, delete it in the console`);
  }
}

/** @throws SophiaError (125) if the new token does not open the environments */
async function requireOpening(value: Secret, { settings, contract, context }: TokenRotation): Promise<void> {
  const token = { name: "the new token", value: value.reveal() };
  const { access } = await findEscAccess(settings, context, { token }, { contract });
  if (access.kind !== "on") throw new TypeError("neither a token nor an environment");
  await askEachTargetEnvironment({ esc: access.settings, settings, context, contract }, openByDefaults);
}

/** Deletes the new token, which is not stored anywhere. @returns the error, with a line that says whether the token still exists */
async function deleteUnusedToken(
  error: unknown,
  name: string,
  id: string,
  { owner }: TokenPlan,
  { adminSettings, sendRequest }: TokenRotation,
): Promise<unknown> {
  try {
    await sendRequest(adminSettings, (connection) => deleteToken(owner, id, connection));
    return addErrorDetails(error, `the old token still works; ${name} is deleted again`);
  } catch {
    return addErrorDetails(error, `the old token still works; delete ${name} in the console`);
  }
}

/** Deletes the old token, or prints why it stays and that the user must delete it. @throws SophiaError (125) */
async function removeOldToken(oldToken: OldToken, rotation: TokenRotation): Promise<void> {
  const { context } = rotation;
  if (oldToken.kind === "stays") {
    printReport(context, `The old token still works, because ${oldToken.reason}. Delete it in the console.\n`);
    return;
  }
  await deleteOldToken(oldToken, rotation);
  printReport(context, `✅ The old token, ${printable(oldToken.name)}, is deleted.\n`);
}

interface PlanOptions {
  /** The options of the command line. */
  readonly options: Values;
  readonly expiresAt: Date;
  /** The settings of ESC with the launcher's token; undefined if no token is set. */
  readonly launcherSettings: EscSettings | undefined;
}

/** Plans the new token, and decides whether the old one can be deleted. @throws SophiaError (125) */
async function createPlan(
  { options, expiresAt, launcherSettings }: PlanOptions,
  { adminSettings, sendRequest }: TokenRotation,
): Promise<TokenPlan> {
  const { identity, listedToken, oldToken } = await findOldToken(launcherSettings, adminSettings, sendRequest);
  const owner = await findOwner(options, identity, () => findOrganization(adminSettings, sendRequest));
  const openRoleId =
    owner.kind === "organization"
      ? await sendRequest(adminSettings, (connection) => findOpenRole(owner.organization, connection))
      : undefined;
  const roleId = chooseRole(owner, openRoleId, listedToken);
  // A token that may not list tokens gets undefined. Then the plan does not mention leftovers of earlier runs.
  const tokens = (await sendRequest(adminSettings, (connection) => listTokens(owner, connection))) ?? [];
  return { owner, roleId, expiresAt, oldToken, leftoverNames: findLeftoverNames(tokens, oldToken) };
}

/** Finds the organization that the settings name, or else the default organization of the token that writes. */
async function findOrganization(adminSettings: EscSettings, sendRequest: RequestSender): Promise<string> {
  const { environments, organization } = adminSettings;
  const environmentOfOrganization = environments.find((environment) => environment.organization !== undefined);
  const configuredOrganization = environmentOfOrganization?.organization ?? organization;
  const foundOrganization = configuredOrganization ?? (await sendRequest(adminSettings, findDefaultOrganization));
  if (foundOrganization !== undefined) return foundOrganization;
  throw invalidSetting("the organization is not known", "set ESC_ORG");
}

/** Returns the names of tokens that earlier runs of this program created, except for the old token itself. */
function findLeftoverNames(tokens: readonly ListedToken[], oldToken: OldToken): readonly string[] {
  const otherTokens = tokens.filter(({ id }) => !(oldToken.kind === "known" && oldToken.id === id));
  // A personal token has no name, but its description begins with the name that this program gave it.
  const names = otherTokens.map(({ name, description }) => (name === "" ? description.replace(/:.*/s, "") : name));
  return names.filter((name) => name.startsWith(TOKEN_NAME_PREFIX));
}

/** The facts that the service reports about the launcher's present token. */
interface OldTokenFacts {
  /** The token if it can be deleted, or the reason why it stays. */
  readonly oldToken: OldToken;
  /** Undefined if the service does not identify the token. */
  readonly identity?: TokenIdentity;
  /** The token's entry in the list of its owner's tokens; absent if exactly one entry is not found. */
  readonly listedToken?: ListedToken;
}

/**
 * Finds the launcher's token in the list of its owner's tokens, which has the id that is needed to delete it. The service
 * identifies a token only by its name, so the name must be unique.
 *
 * @throws SophiaError (125) if a request fails, or if the launcher has no token to rotate
 */
async function findOldToken(
  launcherSettings: EscSettings | undefined,
  adminSettings: EscSettings,
  sendRequest: RequestSender,
): Promise<OldTokenFacts> {
  if (launcherSettings === undefined) return { oldToken: keepOldToken("none is set") };
  refuseIdToken(launcherSettings);
  const identity = await identifyOldToken(launcherSettings, sendRequest);
  if (identity === "rejected") {
    return { oldToken: keepOldToken("the service does not accept it, so it cannot be identified") };
  }
  if (identity === undefined) return { oldToken: keepOldToken("the service does not identify it") };
  const { name } = identity;
  const owner = ownerOfIdentity(identity);
  const tokens = await sendRequest(adminSettings, (connection) => listTokens(owner, connection));
  if (tokens === undefined) {
    return { identity, oldToken: keepOldToken("the token that writes may not list the tokens of its owner") };
  }
  const tokensOfName = tokens.filter((token) => token.name === name);
  const [listedToken] = tokensOfName;
  if (listedToken === undefined || tokensOfName.length > 1) {
    return { identity, oldToken: keepOldToken("not exactly one token has its name") };
  }
  // Deleting the token that sends the request would also end the requests that follow.
  const adminIdentity = await sendRequest(adminSettings, identifyToken);
  if (adminIdentity !== undefined && isSameToken(adminIdentity, identity)) {
    return { identity, listedToken, oldToken: keepOldToken("it is also the token that writes") };
  }
  return { identity, listedToken, oldToken: { kind: "known", owner, id: listedToken.id, name } };
}

function keepOldToken(reason: string): OldToken {
  return { kind: "stays", reason };
}

/** Refuses a launcher that gets a new token in each run, in exchange for an ID token. @throws SophiaError (esc-settings, 125) */
function refuseIdToken({ credential: { kind } }: EscSettings): void {
  if (kind !== "oidc-file" && kind !== "github-actions") return;
  throw invalidSetting(
    "the launcher has no token to rotate: it exchanges an ID token in each run",
    "no rotation is needed",
  );
}

/**
 * Asks the service which token the launcher has. A token may have expired, which is a reason to rotate it, so that a rejected token
 * does not end the command.
 *
 * @returns undefined if the service does not identify the token
 */
async function identifyOldToken(
  launcherSettings: EscSettings,
  sendRequest: RequestSender,
): Promise<TokenIdentity | "rejected" | undefined> {
  try {
    return await sendRequest(launcherSettings, identifyToken);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return "rejected";
  }
}

function isSameToken(first: TokenIdentity, second: TokenIdentity): boolean {
  return first.name === second.name && first.organization === second.organization && first.team === second.team;
}

/** Deletes the old token, and checks that the service no longer lists it. @throws SophiaError (125) */
async function deleteOldToken(
  { owner, id, name }: Extract<OldToken, { readonly kind: "known" }>,
  { adminSettings, sendRequest }: TokenRotation,
): Promise<void> {
  try {
    await sendRequest(adminSettings, async (connection) => {
      await deleteToken(owner, id, connection);
      const remaining = await listTokens(owner, connection);
      if (remaining?.some((token) => token.id === id) === true) {
        const message = `${printable(name)} was deleted, but is still in the list`;
        throw new SophiaError({ code: "token-not-deleted", message });
      }
    });
  } catch (error) {
    const advice = `the new token is stored; the old one, ${printable(name)}, still works: delete it in the console`;
    throw addErrorDetails(error, advice);
  }
}

/** Returns a name such as `sophia-run-20250131-235959-9f3a`. The random end tells tokens of the same second apart. */
function createTokenName(now: Date): string {
  // 2025-01-31T23:59:59.000Z becomes 20250131 and 235959.
  const [day = "", time = ""] = now
    .toISOString()
    .replaceAll(/[-:]|\..*/g, "")
    .split("T");
  return `${TOKEN_NAME_PREFIX}${day}-${time}-${randomBytes(2).toString("hex")}`;
}

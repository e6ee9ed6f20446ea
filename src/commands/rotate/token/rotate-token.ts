import { randomBytes } from "node:crypto";
import type { Values } from "../../../command-line/options.ts";
import { resolveSettings } from "../../../command-line/settings.ts";
import { loadContract } from "../../../contract/find-contract.ts";
import { ExitStatus, SophiaError } from "../../../core/error.ts";
import { printable } from "../../../core/text.ts";
import { findDefaultOrganization } from "../../../esc/api/ask.ts";
import { openByDefaults } from "../../../esc/api/open-session.ts";
import { createToken, deleteToken, findOpenRole, identifyToken, listTokens } from "../../../esc/api/tokens.ts";
import { type ListedToken, ownerOfIdentity, type TokenIdentity } from "../../../esc/api/tokens.ts";
import type { EscSettings } from "../../../esc/settings/access-settings.ts";
import type { Secret } from "../../../esc/settings/secret.ts";
import { invalidSetting } from "../../../esc/settings/variables.ts";
import type { Connection } from "../../../esc/transport/connection.ts";
import { printReport } from "../../../output/colour.ts";
import { makeProgress } from "../../../output/progress.ts";
import { askOnce } from "../../parts/ask-esc.ts";
import { accessOf } from "../../parts/command-access.ts";
import type { Command } from "../../command.ts";
import { confirm } from "../../parts/confirm.ts";
import { APPS, environmentOfGh } from "../../parts/gh-command.ts";
import { askEachEnvironment } from "../../parts/writing/esc-target.ts";
import { writeAccess, writeQuestion } from "../../parts/writing/write-access.ts";
import { withDetails } from "../../parts/writing/write-change.ts";
import { expiryOf, type OldToken, ownerOf, type Plan, planText, PREFIX, roleFor } from "./token-plan.ts";
import { lastSet, store } from "./github-repository.ts";

/** `sophia-run rotate --token`: 0; 1 if the user declines. Unless it ends with 0, the old token still works. */
export const rotateToken: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const expires = expiryOf(options["expires"], Date.now());
  const contract = await loadContract(settings, context);
  const gh = { cwd: context.project, environment: environmentOfGh(context.environment, contract) };
  const before = await Promise.all(APPS.map((app) => lastSet(app, gh)));
  const [isDry, isConfirmed] = [options["dry-run"] === true, options["yes"] === true];
  const remedy = (environment: string): string => `set ESC_ENV in the environment: export ESC_ENV=${environment}`;
  const target = await writeAccess(undefined, settings, context, { isDry, isConfirmed, alwaysByAdmin: true, remedy });
  const { esc: admin } = target;
  const { access: launcher } = await accessOf(settings, context, {}, { contract });
  const ask: Ask = async (by, send) => {
    const progress = await makeProgress(context, settings);
    const asking = askOnce(by, progress, async (connection) => ({ answer: await send(connection) }));
    const asked = await asking.finally(progress.done);
    if (asked === undefined) throw new TypeError("nothing was asked");
    return asked.answer;
  };

  const plan = await planFor(options, expires, launcher.kind === "on" ? launcher.settings : undefined, admin, ask);
  const { owner, roleId, old } = plan;
  const environments = admin.environments.map(({ text }) => text).join(", ");
  printReport(context, planText(plan, environments));
  if (isDry) {
    printReport(context, "Nothing was created: --dry-run.\n");
    return ExitStatus.ok;
  }
  const question =
    target.chosenBy === undefined ? "Create the token?" : writeQuestion(`Create the token for ${environments}`, target);
  if (!(await confirm(question, isConfirmed, context))) {
    printReport(context, "Nothing was created.\n");
    return ExitStatus.unmet;
  }

  const name = nameOf(new Date());
  const made = await ask(admin, (connection) =>
    createToken(owner, { name, description: `${name}: opens an ESC environment`, expires, roleId }, connection),
  ).catch((error: unknown) => {
    throw withDetails(error, `if a token ${name} exists anyway, delete it in the console`);
  });
  let stored = 0;
  try {
    printReport(context, `✅ ${name} is created.\n`);
    await verify(made.value);
    printReport(context, `✅ It opens the environment.\n`);
    for (const [index, app] of APPS.entries()) {
      // From here on the secret may be set, even after a failure.
      stored += 1;
      await store(app, made.value, before[index], gh);
      printReport(context, `✅ It is stored as the repository secret ESC_TOKEN for ${app}.\n`);
    }
  } catch (error) {
    throw stored > 0
      ? withDetails(
          error,
          `the old token still works, and so does ${name}, which may already be stored as a secret; start again`,
        )
      : await withDeletion(error);
  }
  if (old.kind === "stays") {
    printReport(context, `The old token still works, because ${old.why}. Delete it in the console.\n`);
  } else {
    await deleteOld(old, admin, ask);
    printReport(context, `✅ The old token, ${printable(old.name)}, is deleted.\n`);
  }
  printReport(
    context,
    "The value of the new token is not shown. Other users of the old one (.env, a token file, a running Codespace) need a token of " +
      "their own, or a restart.\n",
  );
  return ExitStatus.ok;

  /** @throws SophiaError (125) if the token does not open the environments */
  async function verify(value: Secret): Promise<void> {
    const token = { name: "the new token", value: value.reveal() };
    const { access } = await accessOf(settings, context, { token }, { contract });
    if (access.kind !== "on") throw new TypeError("neither a token nor an environment");
    await askEachEnvironment({ esc: access.settings, settings, context, contract }, openByDefaults);
  }

  /** Deletes the new token. @returns the error with the outcome */
  async function withDeletion(error: unknown): Promise<unknown> {
    try {
      await ask(admin, (connection) => deleteToken(owner, made.id, connection));
      return withDetails(error, `the old token still works; ${name} is deleted again`);
    } catch {
      return withDetails(error, `the old token still works; delete ${name} in the console`);
    }
  }
};

type Ask = <T>(by: EscSettings, send: (connection: Connection) => Promise<T>) => Promise<T>;

/** Plans the new token, and decides whether the old one can be deleted. @throws SophiaError (125) */
async function planFor(
  options: Values,
  expires: Date,
  launcher: EscSettings | undefined,
  admin: EscSettings,
  ask: Ask,
): Promise<Plan> {
  const { identity, listed, old } = await findOld(launcher, admin, ask);
  const owner = await ownerOf(options, identity, async () => {
    const named = admin.environments.find((one) => one.organization !== undefined);
    const organization = named?.organization ?? admin.organization ?? (await ask(admin, findDefaultOrganization));
    if (organization !== undefined) return organization;
    throw invalidSetting("the organization is not known", "set ESC_ORG");
  });
  const openRole =
    owner.kind === "organization"
      ? await ask(admin, (connection) => findOpenRole(owner.organization, connection))
      : undefined;
  const roleId = roleFor(owner, openRole, listed);
  const tokens = (await ask(admin, (connection) => listTokens(owner, connection))) ?? [];
  const others = tokens
    .filter(({ id }) => !(old.kind === "known" && old.id === id))
    .map((one) => (one.name === "" ? one.description.replace(/:.*/s, "") : one.name))
    .filter((one) => one.startsWith(PREFIX));
  return { owner, roleId, expires, old, others };
}

async function findOld(
  launcher: EscSettings | undefined,
  admin: EscSettings,
  ask: Ask,
): Promise<{ readonly identity?: TokenIdentity; readonly listed?: ListedToken; readonly old: OldToken }> {
  const stays = (why: string): { readonly old: OldToken } => ({ old: { kind: "stays", why } });
  const kind = launcher?.credential.kind;
  if (launcher === undefined) return stays("none is set");
  if (kind === "oidc-file" || kind === "github-actions") {
    throw invalidSetting(
      "the launcher has no token to rotate: it exchanges an ID token in each run",
      "no rotation is needed",
    );
  }
  let identity: TokenIdentity | undefined;
  try {
    identity = await ask(launcher, identifyToken);
  } catch (error) {
    if (!(error instanceof SophiaError)) throw error;
    return stays("the service does not accept it, so it cannot be identified");
  }
  if (identity === undefined) return stays("the service does not identify it");
  const owner = ownerOfIdentity(identity);
  const { name } = identity;
  const list = await ask(admin, (connection) => listTokens(owner, connection));
  if (list === undefined) return { identity, ...stays("the token that writes may not list the tokens of its owner") };
  const named = list.filter((one) => one.name === name);
  const [listed] = named;
  if (listed === undefined || named.length > 1) return { identity, ...stays("not exactly one token has its name") };
  const own = await ask(admin, identifyToken);
  const isWriter =
    own !== undefined && own.name === name && own.organization === identity.organization && own.team === identity.team;
  if (isWriter) return { identity, listed, ...stays("it is also the token that writes") };
  return { identity, listed, old: { kind: "known", owner, id: listed.id, name } };
}

/** Deletes the old token, and checks that the list no longer has it. @throws SophiaError (125) */
async function deleteOld(
  { owner, id, name }: Extract<OldToken, { readonly kind: "known" }>,
  admin: EscSettings,
  ask: Ask,
): Promise<void> {
  try {
    await ask(admin, async (connection) => {
      await deleteToken(owner, id, connection);
      const left = await listTokens(owner, connection);
      if (left?.some((one) => one.id === id) === true) {
        const message = `${printable(name)} was deleted, but is still in the list`;
        throw new SophiaError({ code: "token-not-deleted", message });
      }
    });
  } catch (error) {
    const advice = `the new token is stored; the old one, ${printable(name)}, still works: delete it in the console`;
    throw withDetails(error, advice);
  }
}

function nameOf(now: Date): string {
  const [day = "", time = ""] = now
    .toISOString()
    .replaceAll(/[-:]|\..*/g, "")
    .split("T");
  return `${PREFIX}${day}-${time}-${randomBytes(2).toString("hex")}`;
}

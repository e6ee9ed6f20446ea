/**
 * The command `sophia-run login`. After it, starts on this machine use the login of Pulumi's CLI if no token is set. The
 * command checks the login by asking the service for its user, and stores only the service's URL. The token stays in the
 * CLI's file (access/pulumi-login.ts).
 */
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { enumerate, printable } from "../../core/text.ts";
import { readUser } from "../../esc/api/tokens.ts";
import { findAccessSettings, type EscSettings } from "../../esc/settings/access-settings.ts";
import { parseBackend } from "../../esc/settings/backend.ts";
import type { Secret } from "../../esc/settings/secret.ts";
import { VariableLookup } from "../../esc/settings/variables.ts";
import { printReport } from "../../output/colour.ts";
import { createProgress } from "../../output/progress.ts";
import {
  readChosenBackend,
  findLogin,
  describeLoginProblem,
  readPulumiToken,
  settingsFilePath,
  findReasonAgainstLogin,
} from "../../access/pulumi-login.ts";
import { LOGIN } from "../../access/login-words.ts";
import { writeUserFile } from "../../system/user-file.ts";
import { askWithoutEnvironment } from "../parts/esc-requests.ts";
import type { Command } from "../command.ts";
import { conflictError } from "../parts/usage-errors.ts";
import { findAgentVariable, readerName } from "../run/agents.ts";

/** Returns 0; with `--status` 1 if a start at this place would not use the login. @throws SophiaError (125) */
export const login: Command = async ({ options }, context) => {
  if (options["status"] === true && options["forget"] === true) throw conflictError("--status", "--forget");
  const settings = resolveSettings(options, context.environment);
  if (options["status"] === true) return reportLoginStatus(settings, context);
  if (options["forget"] === true) return forgetLogin(context);
  return storeLogin(settings, context);
};

/** Checks the CLI's login by a request to the service, and stores which service it is for. @returns 0 */
async function storeLogin(settings: Settings, context: Context): Promise<number> {
  refuseWithoutPerson(context);
  const cliLogin = findCliLogin(context);
  const backend = parseBackend({ name: "the login's backend", value: cliLogin.backend }, settings.insecureHttp);
  const escSettings = createLoginSettings(cliLogin.token, backend, settings, context);
  const progress = await createProgress(context, settings);
  const user = await askWithoutEnvironment(escSettings, progress, readUser).finally(progress.done);
  const writeFault = writeLoginChoice(cliLogin.backend, context);
  if (writeFault !== undefined) throw createLoginError(`the login is not remembered: ${writeFault}`);
  const { login: userName = "unknown", organizations = [] } = user ?? {};
  printReport(context, [
    `✅ Starts on this machine use the login of Pulumi's CLI from now on: ${userName}, at ${backend}`,
    `   organizations: ${organizations.length === 0 ? "none" : enumerate(organizations)}`,
    "   It is personal, and may write what you may. It is not used in CI, nor where a token is set.",
  ]);
  return ExitStatus.ok;
}

/** Refuses to log in where no person would use the login: under a coding agent, in CI, or without a terminal. */
function refuseWithoutPerson({ environment }: Context): void {
  const agentVariable = findAgentVariable(environment);
  const reason =
    agentVariable === undefined
      ? findReasonAgainstLogin(environment)
      : `a coding agent runs it (${readerName(agentVariable)}, by ${agentVariable})`;
  if (reason === undefined) return;
  throw createLoginError(
    `a login is for people, but ${reason}`,
    "use a token that may only open: ESC_TOKEN or ESC_TOKEN_FILE",
  );
}

/** The login that `pulumi login` has stored. */
interface CliLogin {
  readonly token: Secret;
  /** The URL of the service, as the CLI has stored it. */
  readonly backend: string;
}

/**
 * Finds the CLI's login to the service in `PULUMI_BACKEND_URL`, or else the CLI's current login.
 *
 * @throws SophiaError (login, 125) if there is none, or if it is to a service that has no ESC
 */
function findCliLogin({ environment }: Context): CliLogin {
  const backendSetting = new VariableLookup(environment, []).findInProcess("PULUMI_BACKEND_URL");
  const cliLogin = readPulumiToken(environment, backendSetting?.value);
  const { backend } = cliLogin;
  if (cliLogin.kind !== "token") {
    const serviceName = backend ?? backendSetting?.value ?? "Pulumi Cloud";
    // A new login helps only if there is none. The messages of the other faults name their own remedies.
    const hint = cliLogin.kind === "absent" ? "pulumi login, then start again" : undefined;
    throw createLoginError(describeLoginProblem(cliLogin, serviceName), hint);
  }
  if (backend === undefined) throw createLoginError("the CLI has no current login", "pulumi login, then start again");
  if (!/^https?:/i.test(backend)) {
    throw createLoginError(
      `the CLI's current login is to ${printable(backend)}, which has no ESC`,
      "pulumi login https://api.pulumi.com, then start again",
    );
  }
  return { token: cliLogin.token, backend };
}

/**
 * Returns the settings for requests with the login's token. They name no environment, so that a failure does not name one.
 */
function createLoginSettings(
  token: Secret,
  backend: string,
  settings: Settings,
  { environment }: Context,
): EscSettings {
  const { access } = findAccessSettings(environment, [], {
    ...settings,
    // `findAccessSettings` needs the name of an environment. This one is removed below.
    environments: { value: "any/any/any", option: "login" },
    token: { name: LOGIN, value: token.reveal() },
    backend,
  });
  if (access.kind !== "on" || access.settings.credential.kind === "token-command")
    throw new TypeError("no access by a token");
  return { ...access.settings, environments: [], credential: access.settings.credential };
}

/** Reports whether a start at this place would use the login. @returns 0 if so; otherwise 1 */
function reportLoginStatus(settings: Settings, context: Context): number {
  const { environment } = context;
  const { backend, problem } = readChosenBackend(environment);
  if (problem !== undefined) throw createLoginError(problem);
  if (backend === undefined) {
    printReport(context, ["➖ no login is used; sophia-run login uses that of Pulumi's CLI"]);
    return ExitStatus.unmet;
  }
  const search = findLogin(environment, settings.insecureHttp);
  if (search.found !== undefined) {
    printReport(context, [
      `✅ the login to ${printable(backend)} is used where no token is set; it is personal, and may write`,
    ]);
    return ExitStatus.ok;
  }
  const reason = findReasonAgainstLogin(environment) ?? search.problem ?? "PULUMI_BACKEND_URL is another service";
  printReport(context, [`➖ the login to ${printable(backend)} is not used here: ${reason}`]);
  return ExitStatus.unmet;
}

/** Removes the choice of the login. The CLI's own login stays. */
function forgetLogin(context: Context): number {
  const { backend, problem } = readChosenBackend(context.environment);
  if (problem !== undefined) throw createLoginError(problem);
  if (backend === undefined) {
    printReport(context, ["no login is used"]);
    return ExitStatus.ok;
  }
  const writeFault = writeLoginChoice(undefined, context);
  if (writeFault !== undefined) throw createLoginError(writeFault);
  printReport(context, [`the login to ${printable(backend)} is used no more; pulumi logout removes it from the CLI`]);
  return ExitStatus.ok;
}

/**
 * Writes the URL of the service, without the token.
 *
 * @param backend undefined to remove the choice
 * @returns why that failed
 */
function writeLoginChoice(backend: string | undefined, { environment }: Context): string | undefined {
  const path = settingsFilePath(environment);
  if (path === undefined) return "there is no folder for it: neither XDG_CONFIG_HOME nor HOME is an absolute path";
  // A file of an unknown form is not overwritten.
  const { problem } = readChosenBackend(environment);
  if (problem !== undefined) return problem;
  const document = { version: 1, ...(backend === undefined ? {} : { login: { backend } }) };
  return writeUserFile(path, `${JSON.stringify(document, undefined, 2)}\n`);
}

function createLoginError(message: string, hint?: string): SophiaError {
  return new SophiaError({ code: "login", message, ...(hint === undefined ? {} : { hint }) });
}

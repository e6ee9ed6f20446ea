import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { enumerate, printable } from "../../core/text.ts";
import { readUser } from "../../esc/api/tokens.ts";
import { escAccess } from "../../esc/settings/access-settings.ts";
import { parseBackend } from "../../esc/settings/backend.ts";
import { VariableLookup } from "../../esc/settings/variables.ts";
import { printReport } from "../../output/colour.ts";
import { makeProgress } from "../../output/progress.ts";
import {
  chosenBackend,
  findLogin,
  loginProblem,
  pulumiLogin,
  settingsFile,
  unsuitable,
} from "../../access/pulumi-login.ts";
import { LOGIN } from "../../access/login-words.ts";
import { writeOwnFile } from "../../system/own-file.ts";
import { askWithoutEnvironment } from "../parts/esc-requests.ts";
import type { Command } from "../command.ts";
import { conflict } from "../parts/mistakes.ts";
import { agentBy, readerName } from "../run/agents.ts";

export const login: Command = async ({ options }, context) => {
  if (options["status"] === true && options["forget"] === true) throw conflict("--status", "--forget");
  const settings = resolveSettings(options, context.environment);
  if (options["status"] === true) return status(settings, context);
  if (options["forget"] === true) return forget(context);
  return logIn(settings, context);
};

async function logIn(settings: Settings, context: Context): Promise<number> {
  const { environment } = context;
  const agent = agentBy(environment);
  const why =
    agent === undefined ? unsuitable(environment) : `a coding agent runs it (${readerName(agent)}, by ${agent})`;
  if (why !== undefined)
    throw failure(`a login is for people, but ${why}`, "use a token that may only open: ESC_TOKEN or ESC_TOKEN_FILE");
  const wanted = new VariableLookup(environment, []).findInProcess("PULUMI_BACKEND_URL");
  const found = pulumiLogin(environment, wanted?.value);
  const name = found.backend ?? wanted?.value ?? "Pulumi Cloud";
  if (found.kind !== "token" || found.backend === undefined) {
    throw failure(
      found.kind === "token" ? "the CLI has no current login" : loginProblem(found, name),
      // The other problems name their own remedy, which this would undo.
      found.kind === "token" || found.kind === "absent" ? "pulumi login, then start again" : undefined,
    );
  }
  if (!/^https?:/i.test(found.backend)) {
    throw failure(
      `the CLI's current login is to ${printable(found.backend)}, which has no ESC`,
      "pulumi login https://api.pulumi.com, then start again",
    );
  }
  const backend = parseBackend({ name: "the login's backend", value: found.backend }, settings.insecureHttp);
  const token = { name: LOGIN, value: found.token.reveal() };
  const { access } = escAccess(environment, [], {
    ...settings,
    // Any name: only the user is asked for.
    environments: { value: "any/any/any", option: "login" },
    token,
    backend,
  });
  if (access.kind !== "on" || access.settings.credential.kind === "token-command")
    throw new TypeError("no access by a token");
  const progress = await makeProgress(context, settings);
  // No environment is asked for, and a failure names none.
  const asked = { ...access.settings, environments: [], credential: access.settings.credential };
  const user = await askWithoutEnvironment(asked, progress, readUser).finally(progress.done);
  const trouble = writeBackend(found.backend, context);
  if (trouble !== undefined) throw failure(`the login is not remembered: ${trouble}`);
  const { login: who = "unknown", organizations = [] } = user ?? {};
  printReport(context, [
    `✅ Starts on this machine use the login of Pulumi's CLI from now on: ${who}, at ${backend}`,
    `   organizations: ${organizations.length === 0 ? "none" : enumerate(organizations)}`,
    "   It is personal, and may write what you may. It is not used in CI, nor where a token is set.",
  ]);
  return ExitStatus.ok;
}

function status(settings: Settings, context: Context): number {
  const { environment } = context;
  const { backend, problem } = chosenBackend(environment);
  if (problem !== undefined) throw failure(problem);
  if (backend === undefined) {
    printReport(context, ["➖ no login is used; sophia-run login uses that of Pulumi's CLI"]);
    return ExitStatus.unmet;
  }
  const why = unsuitable(environment);
  const search = findLogin(environment, settings.insecureHttp);
  if (search.found !== undefined) {
    printReport(context, [
      `✅ the login to ${printable(backend)} is used where no token is set; it is personal, and may write`,
    ]);
    return ExitStatus.ok;
  }
  const reason = why ?? search.problem ?? "PULUMI_BACKEND_URL is another service";
  printReport(context, [`➖ the login to ${printable(backend)} is not used here: ${reason}`]);
  return ExitStatus.unmet;
}

function forget(context: Context): number {
  const { backend, problem } = chosenBackend(context.environment);
  if (problem !== undefined) throw failure(problem);
  if (backend === undefined) {
    printReport(context, ["no login is used"]);
    return ExitStatus.ok;
  }
  const trouble = writeBackend(undefined, context);
  if (trouble !== undefined) throw failure(trouble);
  printReport(context, [`the login to ${printable(backend)} is used no more; pulumi logout removes it from the CLI`]);
  return ExitStatus.ok;
}

/** Writes the choice without the token. @returns why that failed */
function writeBackend(backend: string | undefined, { environment }: Context): string | undefined {
  const path = settingsFile(environment);
  if (path === undefined) return "there is no folder for it: neither XDG_CONFIG_HOME nor HOME is an absolute path";
  const { problem } = chosenBackend(environment);
  if (problem !== undefined) return problem;
  const document = { version: 1, ...(backend === undefined ? {} : { login: { backend } }) };
  return writeOwnFile(path, `${JSON.stringify(document, undefined, 2)}\n`);
}

function failure(message: string, hint?: string): SophiaError {
  return new SophiaError({ code: "login", message, ...(hint === undefined ? {} : { hint }) });
}

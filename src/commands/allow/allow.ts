/**
 * The command `sophia-run allow`. A file of a project, such as its contract, can name an ESC environment, but a start opens
 * it with the user's token only after the user has allowed that. This command stores the user's consent. `--list` prints
 * the stored consents, and `--remove` removes those for this project's files.
 */
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { findAccessSettings, type EscOptions, type FoundAccess } from "../../esc/settings/access-settings.ts";
import { printReport } from "../../output/colour.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { CALLER_REMEDY, UNPLACED_REASONS } from "../../access/consent-words.ts";
import { assessConsentNeed, selectPlacedConsents, findConsentPath } from "../../access/consent.ts";
import { type Consent, readConsents, replaceConsents, mergeConsents } from "../../access/remembered-consents.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import type { Command } from "../command.ts";
import { conflictError } from "../parts/usage-errors.ts";
import { findAgentVariable, readerName } from "../run/agents.ts";

/** Runs the command, and returns 0. @throws SophiaError (125) */
export const allow: Command = async ({ options }, context) => {
  if (options["list"] === true && options["remove"] === true) throw conflictError("--list", "--remove");
  if (options["list"] === true) return listConsents(context);
  const settings = resolveSettings(options, context.environment);
  const contract = await loadContract(settings, context);
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  return options["remove"] === true
    ? removeConsents(contract, dotenv, context)
    : addConsents(await findConsentsToStore(settings, contract, dotenv, context), context);
};

/** Prints all stored consents. */
function listConsents(context: Context): number {
  const { consents, problem } = readConsents(context.environment);
  if (problem !== undefined) throw createConsentFileError(problem);
  printReport(context, consents.length === 0 ? ["nothing is allowed"] : consents.map(formatConsentLine));
  return ExitStatus.ok;
}

/** Stores the consents. @throws SophiaError (not-confirmed, 125) if a coding agent runs the command */
async function addConsents(neededConsents: readonly Consent[], context: Context): Promise<number> {
  if (neededConsents.length === 0) {
    printReport(context, ["no consent is needed: no file that was found names an ESC environment"]);
    return ExitStatus.ok;
  }
  const agentVariable = findAgentVariable(context.environment);
  if (agentVariable !== undefined) {
    throw new SophiaError({
      code: "not-confirmed",
      message: `nothing was allowed: a coding agent (${readerName(agentVariable)}, by ${agentVariable}) does not decide for its user`,
      hint: "the user must run sophia-run allow in a terminal outside of the agent",
    });
  }
  await changeConsents(context, (storedConsents) => mergeConsents(storedConsents, neededConsents));
  printReport(context, ["allowed, from now on:", ...neededConsents.map(formatConsentLine)]);
  return ExitStatus.ok;
}

/** Removes the stored consents for the contract and the `.env` files of this project. */
async function removeConsents(contract: Contract, { files }: DotenvReading, context: Context): Promise<number> {
  const projectFiles = [
    ...(contract.source.kind === "file" ? [contract.source.path] : []),
    ...(contract.environment === undefined ? [] : [contract.environment.file]),
    ...files.map(({ path }) => path),
  ];
  const consentPaths = new Set(projectFiles.map((path) => findConsentPath(path, context)));
  let removedConsents: readonly Consent[] = [];
  await changeConsents(context, (storedConsents) => {
    removedConsents = storedConsents.filter(({ file }) => consentPaths.has(file));
    return storedConsents.filter(({ file }) => !consentPaths.has(file));
  });
  const lines = removedConsents.map(formatConsentLine);
  printReport(context, lines.length === 0 ? ["nothing was allowed here"] : ["no longer allowed:", ...lines]);
  return ExitStatus.ok;
}

/**
 * Returns the consents that a start in this project needs. If there is no token yet, these are the consents for any token,
 * so that the user can allow the environments first.
 *
 * @throws SophiaError (not-confirmed, 125) if a consent for a file cannot be stored
 */
async function findConsentsToStore(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<readonly Consent[]> {
  const { environment } = context;
  const options = { ...settings, contract: contract.environment };
  const findAccessWith = (token?: EscOptions["token"]): FoundAccess =>
    findAccessSettings(environment, dotenv.layers, { ...options, ...(token !== undefined && { token }) }).access;
  const accessWithoutToken = findAccessWith();
  const lacksOnlyToken = accessWithoutToken.kind === "incomplete" && accessWithoutToken.missing !== "ESC_ENV";
  // The token is made up, and is not sent: it only lets `findAccessSettings` find which environments a token would open.
  const access = lacksOnlyToken ? findAccessWith({ name: "a token", value: "none" }) : accessWithoutToken;
  if (access.kind !== "proposed") return [];
  const { consents, unplaced } = await assessConsentNeed(access.proposal, { settings, ...context }, dotenv, contract);
  if (unplaced === undefined) return selectPlacedConsents(consents);
  throw new SophiaError({
    code: "not-confirmed",
    message: `nothing was allowed: ${UNPLACED_REASONS[unplaced]}`,
    hint: CALLER_REMEDY,
  });
}

/**
 * Returns a line with the environment and the file that may name it. The line is not broken, so that both can be copied.
 */
function formatConsentLine({ file, environment }: Consent): Line {
  return { text: `  ${printable(environment)}  ${printable(file)}`, neverWraps: true };
}

/**
 * Replaces the stored consents by those that `update` returns.
 *
 * @throws SophiaError (file, 125) if they cannot be written
 */
async function changeConsents(
  context: Context,
  update: (storedConsents: readonly Consent[]) => readonly Consent[],
): Promise<void> {
  const problem = await replaceConsents(context.environment, update);
  if (problem !== undefined) throw createConsentFileError(problem);
}

function createConsentFileError(problem: string): SophiaError {
  return new SophiaError({ code: "file", message: `the consents cannot be used: ${problem}` });
}

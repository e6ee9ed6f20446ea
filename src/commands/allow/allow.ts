import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import type { Line } from "../../core/lines.ts";
import { printable } from "../../core/text.ts";
import { escAccess, type FoundAccess } from "../../esc/settings/access-settings.ts";
import { printReport } from "../../output/colour.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { CALLERS_WORD, UNPLACED } from "../../access/consent-words.ts";
import { neededConsents, placedConsents, placeOf } from "../../access/consent.ts";
import { type Consent, readConsents, replaceConsents, withConsents } from "../../access/remembered-consents.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import type { Command } from "../command.ts";
import { conflict } from "../parts/mistakes.ts";
import { agentBy, readerName } from "../run/agents.ts";

export const allow: Command = async ({ options }, context) => {
  if (options["list"] === true && options["remove"] === true) throw conflict("--list", "--remove");
  if (options["list"] === true) return list(context);
  const settings = resolveSettings(options, context.environment);
  const contract = await loadContract(settings, context);
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  return options["remove"] === true
    ? remove(contract, dotenv, context)
    : add(await consentsFor(settings, contract, dotenv, context), context);
};

function list(context: Context): number {
  const { consents, problem } = readConsents(context.environment);
  if (problem !== undefined) throw unusable(problem);
  printReport(context, consents.length === 0 ? ["nothing is allowed"] : consents.map(consentLine));
  return ExitStatus.ok;
}

async function add(needed: readonly Consent[], context: Context): Promise<number> {
  if (needed.length === 0) {
    printReport(context, ["no consent is needed: no file that was found names an ESC environment"]);
    return ExitStatus.ok;
  }
  const agent = agentBy(context.environment);
  if (agent !== undefined) {
    throw new SophiaError({
      code: "not-confirmed",
      message: `nothing was allowed: a coding agent (${readerName(agent)}, by ${agent}) does not decide for its user`,
      hint: "the user must run sophia-run allow in a terminal outside of the agent",
    });
  }
  await change(context, (now) => withConsents(now, needed));
  printReport(context, ["allowed, from now on:", ...needed.map(consentLine)]);
  return ExitStatus.ok;
}

async function remove(contract: Contract, { files }: DotenvReading, context: Context): Promise<number> {
  const own = [
    ...(contract.source.kind === "file" ? [contract.source.path] : []),
    ...(contract.environment === undefined ? [] : [contract.environment.file]),
    ...files.map(({ path }) => path),
  ];
  const paths = new Set(own.map((path) => placeOf(path, context)));
  let removed: readonly Consent[] = [];
  await change(context, (now) => {
    removed = now.filter(({ file }) => paths.has(file));
    return now.filter(({ file }) => !paths.has(file));
  });
  const lines = removed.map(consentLine);
  printReport(context, lines.length === 0 ? ["nothing was allowed here"] : ["no longer allowed:", ...lines]);
  return ExitStatus.ok;
}

/** Returns the consents that a start here needs, whether it has a token or not. */
async function consentsFor(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<readonly Consent[]> {
  const { environment } = context;
  const asked = { ...settings, contract: contract.environment };
  const find = (more: object = {}): FoundAccess => escAccess(environment, dotenv.layers, { ...asked, ...more }).access;
  const access = find();
  const isOpen = access.kind === "incomplete" && access.missing !== "ESC_ENV";
  // Without a token yet, what any token would need.
  const found = isOpen ? find({ token: { name: "a token", value: "none" } }) : access;
  if (found.kind !== "proposed") return [];
  const { consents, unplaced } = await neededConsents(found.proposal, { settings, ...context }, dotenv, contract);
  if (unplaced === undefined) return placedConsents(consents);
  throw new SophiaError({
    code: "not-confirmed",
    message: `nothing was allowed: ${UNPLACED[unplaced]}`,
    hint: CALLERS_WORD,
  });
}

function consentLine({ file, environment }: Consent): Line {
  return { text: `  ${printable(environment)}  ${printable(file)}`, whole: true };
}

async function change(context: Context, by: (now: readonly Consent[]) => readonly Consent[]): Promise<void> {
  const problem = await replaceConsents(context.environment, by);
  if (problem !== undefined) throw unusable(problem);
}

function unusable(problem: string): SophiaError {
  return new SophiaError({ code: "file", message: `the consents cannot be used: ${problem}` });
}

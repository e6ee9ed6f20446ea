/**
 * Decides whether the user must consent before this run opens an ESC environment, and asks the user. The file is loaded only if a
 * file names an environment.
 *
 * The danger is a cloned repository that names any environment which the user's token opens: the code of the repository would get
 * the values. So the user must consent if a contract that sophia-run found names the environment, or a file that git tracks. The
 * user's own files need no consent.
 */
import { basename, isAbsolute } from "node:path";
import type { Contract } from "../contract/contract-model.ts";
import type { Folders } from "../core/context.ts";
import type { Notice } from "../core/model.ts";
import {
  type EnvironmentChoice,
  CONTRACT_SETTING,
  type EscAccess,
  type UnplacedReason,
  type Proposal,
} from "../esc/settings/access-settings.ts";
import { OUTER_FILE } from "../esc/settings/from-files.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import { attempt } from "../system/errors.ts";
import { parentOf, within } from "../system/paths.ts";
import { isExactPath, realPath } from "../system/real-path.ts";
import { sharesRepository } from "../system/repository.ts";
import { collectConsentFacts } from "./consent-words.ts";
import {
  ALLOW_VARIABLE,
  type Consent,
  isAllowedByVariable,
  isSameConsent,
  readConsents,
  replaceConsents,
  mergeConsents,
} from "./remembered-consents.ts";
import type { AccessRequest, AskConsent } from "./access-request.ts";
import { withoutSecrets } from "../contract/secret-names.ts";
import { isTracked } from "./tracked-by-git.ts";
import { findUnattendedReason } from "./unattended.ts";

interface ConsentDecision {
  /** Present if a consent is needed, and the user has not given it. */
  readonly refused?: Extract<EscAccess, { readonly kind: "unconsented" }>;
  /** The variable because of which a name of two parts has only its first meaning, if there is one. */
  readonly oneMeaning?: string;
  readonly notices: readonly Notice[];
}

/** The consents that a proposal needs. */
interface ConsentNeed {
  /** Each environment with each file that names it. `file` is absent if the path of the file cannot be known exactly. */
  readonly consents: readonly (Pick<Consent, "environment"> & Partial<Consent>)[];
  /** The choices that need the consents, with the paths of their files for messages. */
  readonly choices: readonly EnvironmentChoice[];
  /** The reason why a consent cannot be remembered; undefined if it can. */
  readonly unplaced: UnplacedReason | undefined;
}

/**
 * Finds out whether the user consents to a proposal: by the environment (`SOPHIA_ALLOW_ENVIRONMENT`), by an earlier answer,
 * or by an answer now, which is remembered.
 *
 * @throws SophiaError (esc-settings, 125) for a malformed `SOPHIA_ALLOW_ENVIRONMENT`
 */
export async function obtainConsent(
  proposal: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<ConsentDecision> {
  const need = await assessConsentNeed(proposal, request, dotenv, contract);
  const { consents } = need;
  // The user's own files need no consent, but a notice names them: the environment is not the caller's choice.
  if (consents.length === 0) return { notices: chosenByFiles(proposal) };
  const { environment } = request;
  const decisionOfVariable = findDecisionOfVariable(environment, consents, proposal.oldForms);
  if (decisionOfVariable !== undefined) return decisionOfVariable;
  const remembered = readConsents(environment);
  const isRemembered = consents.every((consent) => remembered.consents.some((other) => isSameConsent(other, consent)));
  if (isRemembered) return { notices: [] };
  const answer = await askUser(proposal, need, request);
  // A file of consents that another user could have written is not used. A notice says why, and the user was asked again.
  const warnings = remembered.problem === undefined ? [] : [remark(remembered.problem)];
  if (answer !== "yes") {
    const unconsented = { kind: "unconsented", proposal, why: answer, unplaced: need.unplaced } as const;
    const notice = { kind: "environment-not-allowed", ...collectConsentFacts(unconsented, contract) } as const;
    return { refused: unconsented, notices: [...warnings, notice] };
  }
  // The consent holds only for this start, since it cannot be remembered.
  if (need.unplaced !== undefined) return { notices: warnings };
  const writeFault =
    remembered.problem ??
    (await replaceConsents(environment, (present) => mergeConsents(present, selectPlacedConsents(consents))));
  return { notices: writeFault === undefined ? [] : [remark(`the consent is not remembered: ${writeFault}`)] };
}

/**
 * Finds out whether `SOPHIA_ALLOW_ENVIRONMENT` allows the environments. A name of two parts has two meanings: if the variable allows only
 * the first meanings, the others are not tried.
 *
 * @returns undefined if the variable does not allow them
 * @throws SophiaError (esc-settings, 125) for a malformed `SOPHIA_ALLOW_ENVIRONMENT`
 */
function findDecisionOfVariable(
  environment: AccessRequest["environment"],
  consents: ConsentNeed["consents"],
  oldForms: Proposal["oldForms"],
): ConsentDecision | undefined {
  if (isAllowedByVariable(environment, consents)) return { notices: [] };
  const firstMeanings = consents.filter((consent) => !oldForms.includes(consent.environment));
  const areFirstMeaningsAllowed =
    firstMeanings.length < consents.length && isAllowedByVariable(environment, firstMeanings);
  return areFirstMeaningsAllowed ? { notices: [], oneMeaning: ALLOW_VARIABLE } : undefined;
}

/** Asks the user, if this process can. @returns `yes`, or the reason why there is no consent */
async function askUser(
  proposal: Proposal,
  { choices, unplaced }: ConsentNeed,
  { askConsent, environment }: AccessRequest,
): Promise<Awaited<ReturnType<AskConsent>>> {
  const answer = (await askConsent?.({ ...proposal, choices }, unplaced === undefined)) ?? "not-asked";
  return answer === "not-asked" && findUnattendedReason(environment) !== undefined ? "unattended" : answer;
}

/** Returns the consents that can be remembered: those for a file whose path is known. */
export function selectPlacedConsents(consents: ConsentNeed["consents"]): readonly Consent[] {
  return consents.flatMap(({ file, environment }) => (file === undefined ? [] : [{ file, environment }]));
}

/** Returns the consents that a proposal needs: none if the user's own files name the environments. */
export async function assessConsentNeed(
  { environments, choices, credential }: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<ConsentNeed> {
  const findTracking = createTrackingSearch(request, dotenv, contract);
  // A token in the repository needs no consent, because it opens only what the authors of the repository can open anyway.
  // The file and its target must be tracked: a link in the repository may lead to a file of the user.
  const { name, file: tokenFile } = credential;
  if (name === "ESC_TOKEN" && tokenFile !== undefined) {
    const answers = await findTracking(tokenFile);
    const isTokenOfRepository = answers.length > 0 && answers.every((tracked) => tracked === true);
    if (isTokenOfRepository) return { consents: [], choices: [], unplaced: undefined };
  }
  const choicesOfOthers: EnvironmentChoice[] = [];
  for (const choice of choices) {
    // The contract's choice is here only if sophia-run found the contract. If git cannot answer (undefined), the file may belong to
    // the repository. The file that an outer sophia-run read is not known.
    const isWrittenByOthers =
      choice.name === CONTRACT_SETTING ||
      choice.file === OUTER_FILE ||
      (await findTracking(choice.file)).some((tracked) => tracked !== false);
    if (isWrittenByOthers) choicesOfOthers.push(choice);
  }
  const places = choicesOfOthers.map((choice) => findPlaceOfChoice(choice, request, contract));
  return {
    consents: [...new Set(places)].flatMap((file) =>
      environments.map((environment) => ({ environment, ...(file !== undefined && { file }) })),
    ),
    choices: choicesOfOthers.map((choice) => ({
      ...choice,
      file: findConsentPath(choice.file, request) ?? choice.file,
    })),
    unplaced: unplacedReason(choicesOfOthers, places),
  };
}

/**
 * Creates a function that asks git whether it tracks a file that sophia-run found. If the file is a symbolic link, there is a
 * second answer, for its target. An answer is undefined if git cannot give it. For other files there are no answers.
 */
function createTrackingSearch(
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): (file: string) => Promise<readonly (boolean | undefined)[]> {
  // git does not get the variables that the contract declares as secret, because the repository may be a stranger's.
  const gitEnvironment = contract === undefined ? request.environment : withoutSecrets(request.environment, contract);
  return async (file) => {
    const isFoundFile = dotenv.files.some(({ path, found }) => found && path === file);
    if (!isFoundFile) return [];
    const path = pathOf(file, request);
    const target = attempt(() => realPath(path)) ?? path;
    return Promise.all(Array.from(new Set([path, target]), async (candidate) => isTracked(candidate, gitEnvironment)));
  };
}

/**
 * Returns the path that the consent to a choice names: the path of the file, or of the contract that extends it.
 *
 * @returns undefined if the path cannot be known exactly
 */
function findPlaceOfChoice(
  { file, name }: EnvironmentChoice,
  request: AccessRequest,
  contract: Contract | undefined,
): string | undefined {
  if (file === OUTER_FILE) return undefined;
  return findConsentPath(name === CONTRACT_SETTING ? contractOf(file, contract) : file, request);
}

/** Returns why the consents to these choices cannot be remembered; undefined if they can. @param places the path for each choice */
function unplacedReason(
  choices: readonly EnvironmentChoice[],
  places: readonly (string | undefined)[],
): UnplacedReason | undefined {
  if (!places.includes(undefined)) return undefined;
  const hasInexactPath = choices.some(({ file }, index) => places[index] === undefined && file !== OUTER_FILE);
  return hasInexactPath ? "path" : "outer";
}

/**
 * Returns the contract that the user consents to: usually the file that names the environment. That file may be in another
 * repository, from which the user's contract extends it. Then the consent is for the user's contract, because a consent to the
 * shared file would hold for all contracts that extend it.
 */
function contractOf(file: string, contract: Contract | undefined): string {
  if (contract?.source.kind !== "file" || sharesRepository(file, contract.source.path)) return file;
  return contract.source.path;
}

/**
 * Returns the path under which a consent for a file is remembered: the real path of its folder, and the name of the file.
 * A symbolic link is not resolved: its target may belong to other people, and needs a consent of its own.
 *
 * @returns undefined if the path is not UTF-8: after decoding, it would be the same for several folders
 */
export function findConsentPath(file: string, folders: Pick<Folders, "cwd">): string | undefined {
  if (file === OUTER_FILE) return undefined;
  const path = pathOf(file, folders);
  const folder = attempt(() => realPath(parentOf(path)));
  if (folder === undefined || !isExactPath(path) || !isExactPath(folder)) return undefined;
  return within(folder, basename(path));
}

/** Returns the absolute path of a file. It keeps `..`, since the folder before it may be a symbolic link. */
function pathOf(file: string, { cwd }: Pick<Folders, "cwd">): string {
  return isAbsolute(file) ? file : within(cwd, file);
}

/**
 * Returns a notice for each of the user's files that names the environments which a credential of the process environment
 * opens.
 */
function chosenByFiles({ choices, credential }: Proposal): readonly Notice[] {
  if (credential.file !== undefined) return [];
  return choices.flatMap(({ name, file }): readonly Notice[] =>
    name === CONTRACT_SETTING ? [] : [{ kind: "environment-by-file", name, file, credential: credential.name }],
  );
}

function remark(text: string): Notice {
  return { kind: "remark", text };
}

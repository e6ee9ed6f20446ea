/**
 * Decides whether the user must consent before this run opens an ESC environment, and asks. Loaded only if a file names an
 * environment.
 *
 * The danger: a cloned repository names any environment that the user's token opens, and its code gets the values. So a
 * consent is needed if a contract that was found, or a file that git tracks, names the environment. No consent is needed
 * for the user's own files.
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
import { isExact, realPath } from "../system/real-path.ts";
import { sharesRepository } from "../system/repository.ts";
import { unallowed } from "./consent-words.ts";
import {
  ALLOW_VARIABLE,
  type Consent,
  isAllowedBy,
  isSameConsent,
  readConsents,
  replaceConsents,
  withConsents,
} from "./remembered-consents.ts";
import type { AccessRequest } from "./access-request.ts";
import { withoutSecrets } from "../contract/secret-names.ts";
import { isTracked } from "./tracked-by-git.ts";
import { unattended } from "./unattended.ts";

interface ConsentDecision {
  /** Present if a consent is needed, and the user has not given it. */
  readonly refused?: Extract<EscAccess, { readonly kind: "unconsented" }>;
  /** The variable that allows only the first meaning of names with two parts, if one does. */
  readonly oneMeaning?: string;
  readonly notices: readonly Notice[];
}

/** The consents that a proposal needs. */
interface ConsentNeed {
  /** Each environment with each file that names it. `file` is absent if the path of the file cannot be known exactly. */
  readonly consents: readonly (Pick<Consent, "environment"> & Partial<Consent>)[];
  /** The choices that need the consents, with the paths of their files for messages. */
  readonly by: readonly EnvironmentChoice[];
  /** The reason why a consent cannot be remembered, if it cannot. */
  readonly unplaced: UnplacedReason | undefined;
}

/**
 * Finds out whether the user consents to a proposal: by the environment (`SOPHIA_ALLOW_ENVIRONMENT`), by an earlier answer,
 * or by an answer now, which is remembered.
 */
export async function withConsent(
  proposal: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<ConsentDecision> {
  const { consents: needed, by, unplaced } = await neededConsents(proposal, request, dotenv, contract);
  // The user's own files need no consent, but a notice names them: the environment is not the caller's choice.
  if (needed.length === 0) return { notices: chosenByFiles(proposal) };
  const { environment } = request;
  if (isAllowedBy(environment, needed)) return { notices: [] };
  // A name with two parts has two meanings. If the variable allows only the first ones, the others are not tried.
  const firstMeanings = needed.filter((consent) => !proposal.oldForms.includes(consent.environment));
  if (firstMeanings.length < needed.length && isAllowedBy(environment, firstMeanings)) {
    return { notices: [], oneMeaning: ALLOW_VARIABLE };
  }
  const { consents, problem } = readConsents(environment);
  // A consent file that another user could have written is not used. The user is told why, and is asked again.
  const warnings = problem === undefined ? [] : [remark(problem)];
  const isRemembered = needed.every((consent) => consents.some((remembered) => isSameConsent(remembered, consent)));
  if (isRemembered) return { notices: [] };
  const userAnswer = (await request.askConsent?.({ ...proposal, by }, unplaced === undefined)) ?? "not-asked";
  const isUnattended = userAnswer === "not-asked" && unattended(environment) !== undefined;
  const answer = isUnattended ? "unattended" : userAnswer;
  if (answer !== "yes") {
    const unconsented = { kind: "unconsented", proposal, why: answer, unplaced } as const;
    const notice = { kind: "environment-not-allowed", ...unallowed(unconsented, contract) } as const;
    return { refused: unconsented, notices: [...warnings, notice] };
  }
  // The user consents only for this start, since the consent cannot be remembered.
  if (unplaced !== undefined) return { notices: warnings };
  const writeFault =
    problem ?? (await replaceConsents(environment, (remembered) => withConsents(remembered, placedConsents(needed))));
  return { notices: writeFault === undefined ? [] : [remark(`the consent is not remembered: ${writeFault}`)] };
}

/** Returns the consents that can be remembered: those for a file whose path is known. */
export function placedConsents(consents: ConsentNeed["consents"]): readonly Consent[] {
  return consents.flatMap(({ file, environment }) => (file === undefined ? [] : [{ file, environment }]));
}

/** Returns the consents that a proposal needs: none if the user's own files name the environments. */
export async function neededConsents(
  { environments, by, credential }: Proposal,
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
    if (isTokenOfRepository) return { consents: [], by: [], unplaced: undefined };
  }
  const choicesOfOthers: EnvironmentChoice[] = [];
  for (const choice of by) {
    // If git cannot answer (undefined), the file may belong to the repository. The file of an outer sophia-run is not known.
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
    by: choicesOfOthers.map((choice) => ({ ...choice, file: placeOf(choice.file, request) ?? choice.file })),
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
  // Git gets no secrets of the contract.
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
  return placeOf(name === CONTRACT_SETTING ? contractOf(file, contract) : file, request);
}

/** Returns why the consents to these choices cannot be remembered. @param places the path for each choice, in the same order */
function unplacedReason(
  choices: readonly EnvironmentChoice[],
  places: readonly (string | undefined)[],
): UnplacedReason | undefined {
  if (!places.includes(undefined)) return undefined;
  const hasInexactPath = choices.some(({ file }, index) => places[index] === undefined && file !== OUTER_FILE);
  return hasInexactPath ? "path" : "outer";
}

/**
 * Returns the contract for which the consent to its environment is: the file that names the environment. If this file is in
 * another repository, which is possible if the user named the first contract, the consent is for the first contract: a
 * consent to the shared file would hold for all contracts that extend it.
 */
function contractOf(file: string, contract: Contract | undefined): string {
  if (contract?.source.kind !== "file" || sharesRepository(file, contract.source.path)) return file;
  return contract.source.path;
}

/**
 * Returns the path under which a consent for a file is remembered: the real path of its folder, and the name of the file.
 * If the file is a link, its target may belong to other people, and needs a consent of its own.
 *
 * @returns undefined if the path is not UTF-8: after decoding, it would be the same for several folders
 */
export function placeOf(file: string, folders: Pick<Folders, "cwd">): string | undefined {
  if (file === OUTER_FILE) return undefined;
  const path = pathOf(file, folders);
  const folder = attempt(() => realPath(parentOf(path)));
  if (folder === undefined || !isExact(path) || !isExact(folder)) return undefined;
  return within(folder, basename(path));
}

/** Returns the absolute path of a file, without resolving `..`: the folder before it may be a link. */
function pathOf(file: string, { cwd }: Pick<Folders, "cwd">): string {
  return isAbsolute(file) ? file : within(cwd, file);
}

/**
 * Returns a notice for each of the user's files that names the environments which a credential of the process environment
 * opens.
 */
function chosenByFiles({ by, credential }: Proposal): readonly Notice[] {
  if (credential.file !== undefined) return [];
  return by.flatMap(({ name, file }): readonly Notice[] =>
    name === CONTRACT_SETTING ? [] : [{ kind: "environment-by-file", name, file, credential: credential.name }],
  );
}

function remark(text: string): Notice {
  return { kind: "remark", text };
}

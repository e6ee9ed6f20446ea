/**
 * Decides whether the user must consent before this run opens an ESC environment, and asks the user. The file is loaded only if a
 * file names an environment.
 *
 * A cloned repository could name any environment that the user's token opens, and the code of the repository would then get the
 * values. So the user must consent if the environment is named by a contract that sophia-run found, or by a file that git tracks:
 * `"environment": "acme/shop/dev"` in a cloned `sophia.contract.json`. The user's own files need no consent.
 */
import { basename, isAbsolute } from "node:path";
import type { Contract } from "../contract/contract-model.ts";
import type { Folders } from "../core/context.ts";
import type { Environment, Notice } from "../core/model.ts";
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
import { createUnallowedFacts } from "./consent-words.ts";
import {
  ALLOW_VARIABLE,
  type Consent,
  isAllowedBy,
  isSameConsent,
  readConsents,
  type RememberedConsents,
  replaceConsents,
  withConsents,
} from "./remembered-consents.ts";
import type { AccessRequest, AskConsent } from "./access-request.ts";
import { withoutSecrets } from "../contract/secret-names.ts";
import { isTracked } from "./tracked-by-git.ts";
import { unattended } from "./unattended.ts";

interface ConsentDecision {
  /** The access that this run does not get. It is present if a consent is needed, and the user has not given it. */
  readonly unconsentedAccess?: Extract<EscAccess, { readonly kind: "unconsented" }>;
  /** The variable that allows only the first meaning of a name of two parts; absent if all meanings are allowed. */
  readonly limitingVariable?: string;
  readonly notices: readonly Notice[];
}

/** A consent before the user has given it. `file` is absent if the path of the file cannot be known exactly. */
type NeededConsent = Pick<Consent, "environment"> & Partial<Consent>;

/** The consents that a proposal needs. */
interface ConsentNeed {
  /** One consent for each environment and each file that names it. */
  readonly consents: readonly NeededConsent[];
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
export async function decideConsent(
  proposal: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<ConsentDecision> {
  const need = await findNeededConsents(proposal, request, dotenv, contract);
  const { consents } = need;
  // The user's own files need no consent, but a notice names them: the environment is not the caller's choice.
  if (consents.length === 0) return { notices: createUserFileNotices(proposal) };
  const { environment } = request;
  if (isAllowedBy(environment, consents)) return { notices: [] };
  // A name of two parts has two meanings. If the variable allows only the first meanings, the others are not tried.
  const firstMeanings = consents.filter((consent) => !proposal.oldForms.includes(consent.environment));
  if (firstMeanings.length < consents.length && isAllowedBy(environment, firstMeanings)) {
    return { notices: [], limitingVariable: ALLOW_VARIABLE };
  }
  const remembered = readConsents(environment);
  const isRemembered = consents.every((consent) => remembered.consents.some((other) => isSameConsent(other, consent)));
  if (isRemembered) return { notices: [] };
  const answer = await askUser(proposal, need, request);
  if (answer === "yes") return { notices: await rememberConsents(need, remembered, environment) };
  const unconsentedAccess = { kind: "unconsented", proposal, why: answer, unplaced: need.unplaced } as const;
  const notAllowedNotice = {
    kind: "environment-not-allowed",
    ...createUnallowedFacts(unconsentedAccess, contract),
  } as const;
  return { unconsentedAccess, notices: [...createUnusedFileNotices(remembered), notAllowedNotice] };
}

/** Remembers the consents that the user has just given, if that is possible. @returns a notice if the file prevents it */
async function rememberConsents(
  { consents, unplaced }: ConsentNeed,
  remembered: RememberedConsents,
  environment: Environment,
): Promise<readonly Notice[]> {
  // These consents hold only for this start. The user knows that, because the question was `Allow it, for this start?`.
  if (unplaced !== undefined) return createUnusedFileNotices(remembered);
  const addedConsents = selectRememberableConsents(consents);
  const writeFault =
    remembered.problem ?? (await replaceConsents(environment, (present) => withConsents(present, addedConsents)));
  return writeFault === undefined ? [] : [createRemark(`the consent is not remembered: ${writeFault}`)];
}

/** Returns a notice if the file of remembered consents is not used, which is why the user is asked again. */
function createUnusedFileNotices({ problem }: RememberedConsents): readonly Notice[] {
  return problem === undefined ? [] : [createRemark(problem)];
}

/** Asks the user, if this process can. @returns `yes`, or the reason why there is no consent */
async function askUser(
  proposal: Proposal,
  { choices, unplaced }: ConsentNeed,
  { askConsent, environment }: AccessRequest,
): Promise<Awaited<ReturnType<AskConsent>>> {
  const answer = (await askConsent?.({ ...proposal, choices }, unplaced === undefined)) ?? "not-asked";
  return answer === "not-asked" && unattended(environment) !== undefined ? "unattended" : answer;
}

/** Returns the consents that can be remembered: those for a file whose path is known. */
export function selectRememberableConsents(consents: readonly NeededConsent[]): readonly Consent[] {
  return consents.flatMap(({ file, environment }) => (file === undefined ? [] : [{ file, environment }]));
}

/** Returns the consents that a proposal needs: none if the user's own files name the environments. */
export async function findNeededConsents(
  { environments, choices, credential }: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<ConsentNeed> {
  const findTracking = createTrackingSearch(request, dotenv, contract);
  if (await isTokenOfRepository(credential, findTracking)) return { consents: [], choices: [], unplaced: undefined };
  const choicesOfOthers = await selectChoicesOfOthers(choices, findTracking);
  const consentPaths = choicesOfOthers.map((choice) => findConsentPathOfChoice(choice, request, contract));
  return {
    consents: [...new Set(consentPaths)].flatMap((file) =>
      environments.map((environment) => ({ environment, ...(file !== undefined && { file }) })),
    ),
    choices: choicesOfOthers.map((choice) => ({
      ...choice,
      file: findConsentPath(choice.file, request) ?? choice.file,
    })),
    unplaced: findUnplacedReason(choicesOfOthers, consentPaths),
  };
}

/**
 * Returns true if the repository itself contains the token. Such a token needs no consent, because it opens only what the authors of
 * the repository can open anyway.
 */
async function isTokenOfRepository(
  { name, file }: Proposal["credential"],
  findTracking: TrackingSearch,
): Promise<boolean> {
  if (name !== "ESC_TOKEN" || file === undefined) return false;
  // The file and its target must be tracked: a link in the repository may lead to a file of the user.
  const answers = await findTracking(file);
  return answers.length > 0 && answers.every((isFileTracked) => isFileTracked === true);
}

/** Returns the choices that the user may not have written. */
async function selectChoicesOfOthers(
  choices: readonly EnvironmentChoice[],
  findTracking: TrackingSearch,
): Promise<readonly EnvironmentChoice[]> {
  const choicesOfOthers: EnvironmentChoice[] = [];
  for (const choice of choices) {
    // The contract's choice is here only if sophia-run found the contract. If git cannot answer (undefined), the file may belong to
    // the repository. The file that an outer sophia-run read is not known.
    const mayBeWrittenByOthers =
      choice.name === CONTRACT_SETTING ||
      choice.file === OUTER_FILE ||
      (await findTracking(choice.file)).some((isFileTracked) => isFileTracked !== false);
    if (mayBeWrittenByOthers) choicesOfOthers.push(choice);
  }
  return choicesOfOthers;
}

/**
 * Asks git whether it tracks a file that sophia-run found. If the file is a symbolic link, there is a second answer, for its target.
 * An answer is undefined if git cannot give it. For files that the user named there are no answers.
 */
type TrackingSearch = (file: string) => Promise<readonly (boolean | undefined)[]>;

/** Creates the function that asks git, for the files and the contract of one run. */
function createTrackingSearch(
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): TrackingSearch {
  // git does not get the variables that the contract declares as secret, because the repository may be a stranger's.
  const gitEnvironment = contract === undefined ? request.environment : withoutSecrets(request.environment, contract);
  return async (file) => {
    const isFoundFile = dotenv.files.some(({ path, found }) => found && path === file);
    if (!isFoundFile) return [];
    const path = absolutePathOf(file, request);
    const target = attempt(() => realPath(path)) ?? path;
    return Promise.all(Array.from(new Set([path, target]), async (candidate) => isTracked(candidate, gitEnvironment)));
  };
}

/**
 * Returns the path that the consent to a choice names: the path of the file, or of the contract that extends it.
 *
 * @returns undefined if the path cannot be known exactly
 */
function findConsentPathOfChoice(
  { file, name }: EnvironmentChoice,
  request: AccessRequest,
  contract: Contract | undefined,
): string | undefined {
  if (file === OUTER_FILE) return undefined;
  return findConsentPath(name === CONTRACT_SETTING ? findConsentedFile(file, contract) : file, request);
}

/** Returns why the consents to these choices cannot be remembered; undefined if they can. @param consentPaths a path for each choice */
function findUnplacedReason(
  choices: readonly EnvironmentChoice[],
  consentPaths: readonly (string | undefined)[],
): UnplacedReason | undefined {
  if (!consentPaths.includes(undefined)) return undefined;
  const hasInexactPath = choices.some(({ file }, index) => consentPaths[index] === undefined && file !== OUTER_FILE);
  return hasInexactPath ? "path" : "outer";
}

/**
 * Finds the file that the user consents to: usually the file that names the environment. That file may be in another repository, and
 * the user's contract extends it. Then the consent is for the user's contract, because a consent to the shared file would hold for
 * all contracts that extend it.
 */
function findConsentedFile(file: string, contract: Contract | undefined): string {
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
  const path = absolutePathOf(file, folders);
  const folder = attempt(() => realPath(parentOf(path)));
  if (folder === undefined || !isExact(path) || !isExact(folder)) return undefined;
  return within(folder, basename(path));
}

/** Returns the absolute path of a file. It keeps `..`, since the folder before it may be a symbolic link. */
function absolutePathOf(file: string, { cwd }: Pick<Folders, "cwd">): string {
  return isAbsolute(file) ? file : within(cwd, file);
}

/**
 * Returns a notice for each of the user's files that names the environments which a credential of the process environment
 * opens.
 */
function createUserFileNotices({ choices, credential }: Proposal): readonly Notice[] {
  if (credential.file !== undefined) return [];
  return choices.flatMap(({ name, file }): readonly Notice[] =>
    name === CONTRACT_SETTING ? [] : [{ kind: "environment-by-file", name, file, credential: credential.name }],
  );
}

function createRemark(text: string): Notice {
  return { kind: "remark", text };
}

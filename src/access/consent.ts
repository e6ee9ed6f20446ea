/**
 * The user's consent to what a file that was only found names: a cloned repository could name an environment whose values
 * its code must not have, and the user's token would open it. Loaded only if a file names one.
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
  isSame,
  readConsents,
  replaceConsents,
  withConsents,
} from "./remembered-consents.ts";
import type { AccessRequest } from "./access-request.ts";
import { withoutSecrets } from "../contract/secret-names.ts";
import { isTracked } from "./tracked-by-git.ts";
import { unattended } from "./unattended.ts";

interface Decision {
  /** Absent if the proposal needs no consent, or the user gives it or has given it. */
  readonly refused?: Extract<EscAccess, { readonly kind: "unconsented" }>;
  /** The variable that allows the first meaning of names of two parts alone. */
  readonly oneMeaning?: string;
  readonly notices: readonly Notice[];
}

/** The consents that a proposal needs. */
interface ConsentNeed {
  /** Each environment with each place where a file that chooses it was found. Without a file if that place cannot be told. */
  readonly consents: readonly (Pick<Consent, "environment"> & Partial<Consent>)[];
  /** The choices that need them, with the paths of their files for messages. */
  readonly by: readonly EnvironmentChoice[];
  readonly unplaced: UnplacedReason | undefined;
}

/** Asks for the consent that a proposal needs, unless the user has given it. */
export async function withConsent(
  proposal: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<Decision> {
  const { consents: needed, by, unplaced } = await neededConsents(proposal, request, dotenv, contract);
  if (needed.length === 0) return { notices: chosenByFiles(proposal) };
  const { environment } = request;
  if (isAllowedBy(environment, needed)) return { notices: [] };
  const firsts = needed.filter((one) => !proposal.oldForms.includes(one.environment));
  if (firsts.length < needed.length && isAllowedBy(environment, firsts)) {
    return { notices: [], oneMeaning: ALLOW_VARIABLE };
  }
  const { consents, problem } = readConsents(environment);
  const warnings = problem === undefined ? [] : [remark(problem)];
  const isGiven = needed.every((one) => consents.some((given) => isSame(given, one)));
  if (isGiven) return { notices: [] };
  const asked = (await request.askConsent?.({ ...proposal, by }, unplaced === undefined)) ?? "not-asked";
  const answer = asked === "not-asked" && unattended(environment) !== undefined ? "unattended" : asked;
  if (answer !== "yes") {
    const unconsented = { kind: "unconsented", proposal, why: answer, unplaced } as const;
    const notice = { kind: "environment-not-allowed", ...unallowed(unconsented, contract) } as const;
    return { refused: unconsented, notices: [...warnings, notice] };
  }
  if (unplaced !== undefined) return { notices: warnings };
  const trouble = problem ?? (await replaceConsents(environment, (now) => withConsents(now, placed(needed))));
  return { notices: trouble === undefined ? [] : [remark(`the consent is not remembered: ${trouble}`)] };
}

/** Returns the consents that can be remembered. */
export function placed(consents: ConsentNeed["consents"]): readonly Consent[] {
  return consents.flatMap(({ file, environment }) => (file === undefined ? [] : [{ file, environment }]));
}

/** Returns the consents that a proposal needs; none if the user's own files choose the environments. */
export async function neededConsents(
  { environments, by, credential }: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<ConsentNeed> {
  const own = contract === undefined ? request.environment : withoutSecrets(request.environment, contract);
  /** Asks git about a file that was found, and about the target if it is a link. */
  const ask = async ({ file }: Pick<EnvironmentChoice, "file">): Promise<readonly (boolean | undefined)[]> => {
    if (!dotenv.files.some(({ path, found }) => found && path === file)) return [];
    const path = pathOf(file, request);
    const target = attempt(() => realPath(path)) ?? path;
    return Promise.all(Array.from(new Set([path, target]), async (one) => isTracked(one, own)));
  };
  const nothing = { consents: [], by: [], unplaced: undefined };
  // A token of the repository itself opens what its authors may open anyway. A link of theirs may lead to the user's file.
  const { name, file: tokenFile } = credential;
  if (name === "ESC_TOKEN" && tokenFile !== undefined) {
    const answers = await ask({ file: tokenFile });
    if (answers.length > 0 && answers.every((tracked) => tracked === true)) return nothing;
  }
  const ofOthers: EnvironmentChoice[] = [];
  for (const choice of by) {
    // If git cannot tell, the file may be the repository's. The file of an outer sophia-run is unknown.
    const isOfOthers =
      choice.name === CONTRACT_SETTING ||
      choice.file === OUTER_FILE ||
      (await ask(choice)).some((tracked) => tracked !== false);
    if (isOfOthers) ofOthers.push(choice);
  }
  const places = ofOthers.map(({ file, name: setting }) =>
    file === OUTER_FILE
      ? undefined
      : placeOf(setting === CONTRACT_SETTING ? contractOf(file, contract) : file, request),
  );
  return {
    consents: [...new Set(places)].flatMap((file) =>
      environments.map((environment) => ({ environment, ...(file !== undefined && { file }) })),
    ),
    by: ofOthers.map((choice) => ({ ...choice, file: placeOf(choice.file, request) ?? choice.file })),
    unplaced: unplacedReason(ofOthers, places),
  };
}

function unplacedReason(
  choices: readonly EnvironmentChoice[],
  places: readonly (string | undefined)[],
): UnplacedReason | undefined {
  if (!places.includes(undefined)) return undefined;
  return choices.some(({ file }, index) => places[index] === undefined && file !== OUTER_FILE) ? "path" : "outer";
}

/**
 * Returns the file that the consent to a contract's environment is for: the one that names it. One of another repository, such
 * as a contract that was named may extend, does not decide for what extends it: then it is the first contract.
 */
function contractOf(file: string, contract: Contract | undefined): string {
  if (contract?.source.kind !== "file" || sharesRepository(file, contract.source.path)) return file;
  return contract.source.path;
}

/**
 * Returns the real path of the folder of a file, with the name of the file. What a link leads to may belong to other people, and
 * has its own consent. Undefined if the path does not survive decoding: other folders would have the same.
 */
export function placeOf(file: string, folders: Pick<Folders, "cwd">): string | undefined {
  if (file === OUTER_FILE) return undefined;
  const path = pathOf(file, folders);
  const folder = attempt(() => realPath(parentOf(path)));
  if (folder === undefined || !isExact(path) || !isExact(folder)) return undefined;
  return within(folder, basename(path));
}

/** Does not normalize: the working directory may be a link, such as `/proc/self/cwd`, with `..` behind it. */
function pathOf(file: string, { cwd }: Pick<Folders, "cwd">): string {
  return isAbsolute(file) ? file : within(cwd, file);
}

/** Reports the user's own files that decide what a credential of the environment opens. */
function chosenByFiles({ by, credential }: Proposal): readonly Notice[] {
  if (credential.file !== undefined) return [];
  return by.flatMap(({ name, file }): readonly Notice[] =>
    name === CONTRACT_SETTING ? [] : [{ kind: "environment-by-file", name, file, credential: credential.name }],
  );
}

function remark(text: string): Notice {
  return { kind: "remark", text };
}

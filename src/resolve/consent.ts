/**
 * The user's consent to what a file that was only found names: a cloned repository could name an environment whose values
 * its code must not have, and the user's token would open it. Loaded only if a file names one.
 */
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Contract } from "../contract/model.ts";
import type { Folders } from "../core/context.ts";
import type { Notice } from "../core/model.ts";
import { type Choice, CONTRACT_SETTING, type EscAccess, type Proposal } from "../esc/settings/access.ts";
import { OUTER_FILE } from "../esc/settings/from-files.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import { attempt } from "../system/errors.ts";
import { unallowed } from "./consent-words.ts";
import {
  ALLOW_VARIABLE,
  type Consent,
  isAllowedBy,
  isSame,
  readConsents,
  replaceConsents,
  withConsents,
} from "./consents.ts";
import type { AccessRequest } from "./start.ts";
import { withoutSecrets } from "./secret-names.ts";
import { isTracked } from "./tracked.ts";

interface Decision {
  /** Absent if the proposal needs no consent, or the user gives it or has given it. */
  readonly refused?: Extract<EscAccess, { readonly kind: "unconsented" }>;
  /** The variable that allows the first meaning of names of two parts alone. */
  readonly oneMeaning?: string;
  readonly notices: readonly Notice[];
}

/** Asks for the consent that a proposal needs, unless the user has given it. */
export async function withConsent(
  proposal: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<Decision> {
  const needed = await neededConsents(proposal, request, dotenv, contract);
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
  const asked = { ...proposal, by: choicesOf(needed, proposal, request) };
  const answer = (await request.askConsent?.(asked)) ?? "not-asked";
  if (answer !== "yes") {
    const unconsented = { kind: "unconsented", proposal, why: answer } as const;
    const notice = { kind: "environment-not-allowed", ...unallowed(unconsented, contract) } as const;
    return { refused: unconsented, notices: [...warnings, notice] };
  }
  // Which file an outer sophia-run has read is not known: that yes is for this start alone.
  const lasting = needed.filter(({ file }) => file !== OUTER_FILE);
  if (lasting.length === 0) return { notices: warnings };
  const trouble = problem ?? (await replaceConsents(environment, (now) => withConsents(now, lasting)));
  return { notices: trouble === undefined ? [] : [remark(`the consent is not remembered: ${trouble}`)] };
}

/** Returns the consents that a proposal needs: each environment with the real path of each file that chooses it. */
export async function neededConsents(
  { environments, by, credential }: Proposal,
  request: AccessRequest,
  dotenv: DotenvReading,
  contract: Contract | undefined,
): Promise<readonly Consent[]> {
  const { cwd } = request;
  const own = contract === undefined ? request.environment : withoutSecrets(request.environment, contract);
  /** Asks git about a file that was found: about the link as well, if it is one. */
  const ask = async ({ file }: Pick<Choice, "file">): Promise<readonly (boolean | undefined)[]> => {
    if (!dotenv.files.some(({ path, found }) => found && path === file)) return [];
    const paths = new Set([resolve(cwd, file), realPath(file, request)]);
    return Promise.all(Array.from(paths, async (path) => isTracked(path, own)));
  };
  // A token of the repository itself opens what its authors may open anyway. A link of theirs may lead to the user's file.
  const { name, file: tokenFile } = credential;
  if (name === "ESC_TOKEN" && tokenFile !== undefined) {
    const answers = await ask({ file: tokenFile });
    if (answers.length > 0 && answers.every((tracked) => tracked === true)) return [];
  }
  const files = new Set<string>();
  for (const choice of by) {
    // If git cannot tell, the file may be the repository's. The file of an outer sophia-run is unknown.
    const isOfOthers =
      choice.name === CONTRACT_SETTING ||
      choice.file === OUTER_FILE ||
      (await ask(choice)).some((tracked) => tracked !== false);
    if (isOfOthers) files.add(realPath(choice.file, request));
  }
  return Array.from(files).flatMap((file) => environments.map((environment) => ({ file, environment })));
}

function choicesOf(needed: readonly Consent[], { by }: Proposal, request: AccessRequest): readonly Choice[] {
  return by
    .map((choice) => ({ ...choice, file: realPath(choice.file, request) }))
    .filter(({ file }) => needed.some((one) => one.file === file));
}

export function realPath(file: string, { cwd }: Pick<Folders, "cwd">): string {
  if (file === OUTER_FILE) return file;
  const path = resolve(cwd, file);
  return attempt(() => realpathSync(path)) ?? path;
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

/** Reads the sources and the contract: what `precede` and `check` then decide over. */
import { findContract, loadContract } from "../contract/load.ts";
import type { Contract } from "../contract/model.ts";
import type { Notice } from "../core/model.ts";
import { reached } from "../core/phases.ts";
import type { EscAccess } from "../esc/settings/access.ts";
import { isEscMentioned } from "../esc/settings/own-variables.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { AccessRequest, ReadingProgress } from "./assessment.ts";
import { folderAbove, hasOverride, hasValueFiles, readEnvFiles } from "./env-files.ts";
import type { FromEsc } from "./from-esc.ts";

export interface Request extends AccessRequest {
  /** Called only if there is something to show. */
  readonly progress: () => Promise<ReadingProgress>;
}

type Access = EscAccess | { readonly kind: "fake" };

/** The values of all sources; those of the process environment are in the request. */
export interface Sources extends FromEsc {
  readonly request: Request;
  readonly dotenv: DotenvReading;
  readonly access: Access;
  readonly accessNotices: readonly Notice[];
  readonly contract: Contract;
  /** The rules for names, on a system that ignores their case. */
  readonly folded: typeof import("./folded.ts") | undefined;
}

/** @throws SophiaError for malformed settings, files and contracts, and for an ESC that is required and cannot be read */
export async function readSources(request: Request): Promise<Sources> {
  const { settings, environment, project } = request;
  const search = settings.contractFile === undefined ? { path: findContract(project) } : undefined;
  const found = await readEnvFiles(settings, request, search);
  // Before ESC is asked: it may name the environment.
  const written = await loadContract(settings, request, search);
  const folded = environment.foldsCase === true ? await import("./folded.ts") : undefined;
  const contract = folded?.foldedContract(written) ?? written;
  const above = folderAbove(settings, request, search);
  const own = hasOverride(settings, request, above)
    ? await (await import("./override.ts")).withOverride(found, contract, request, above)
    : found;
  const dotenv = hasValueFiles(settings.secretsDirs, environment, contract)
    ? await (await import("./value-files.ts")).withValueFiles(own, contract, request)
    : own;
  reached("files read");
  const { access, notices: accessNotices } = await accessTo(request, found, contract);
  if (settings.requireEsc) await (await import("./from-esc.ts")).requireAccess(access, accessNotices);
  // Last: a fault in a file opens nothing.
  const fetched = await readEsc(access, request, dotenv.files);
  const sources = { request, dotenv, access, accessNotices, contract, folded, ...fetched };
  if (settings.verbose) await report(sources);
  return sources;
}

/** Reads ESC again, in place of values of the cache that were used without contacting it. */
export async function readWithoutCache(sources: Sources): Promise<Sources> {
  const { access, dotenv, request } = sources;
  const uncached = { ...request, settings: { ...request.settings, cache: true, cacheFreshMs: undefined } };
  const newer = { ...sources, request: uncached, ...(await readEsc(access, uncached, dotenv.files)) };
  if (uncached.settings.verbose) await report(newer);
  return newer;
}

/** Finds the settings for ESC, if a source or the contract mentions it. */
async function accessTo(request: Request, dotenv: DotenvReading, contract: Contract) {
  const { settings, environment } = request;
  if (settings.fake) return { access: { kind: "fake" } as const, notices: [] };
  if (contract.environment === undefined && !isEscMentioned(environment, dotenv.layers)) {
    return { access: { kind: "off" } as const, notices: [] };
  }
  return (await import("./esc-access.ts")).accessToEsc(request, dotenv, contract);
}

async function readEsc(access: Access, request: Request, files: DotenvReading["files"]): Promise<FromEsc> {
  if (access.kind === "off" || access.kind === "fake") return { esc: access, layers: [], notices: [] };
  return (await import("./from-esc.ts")).readFromEsc(access, request, files);
}

/** Prints a line for each source. */
async function report({ request, contract, esc, layers, dotenv }: Sources): Promise<void> {
  const { readingLines } = await import("./verbose.ts");
  const { printLine } = await request.progress();
  for (const line of readingLines(contract, esc, layers, dotenv)) printLine(line);
}

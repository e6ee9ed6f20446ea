/**
 * Reads the values of Pulumi ESC for a start, by the access that `access/` has found, and refuses the start if ESC is required
 * (`--require-esc`) but cannot be read. read-store.ts loads this file only if a setting for ESC is present.
 */
import { SophiaError } from "../core/error.ts";
import type { Environment, Failure, Layer, Notice, Variable } from "../core/model.ts";
import { printable } from "../core/text.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { pulumiTokenRemedy } from "../esc/settings/pulumi-token.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { EscReading } from "../sources/esc-layers.ts";
import type { Companions, ReadingProgress, Start, Store, StoreAccess } from "./start.ts";

const NO_VALUES = { layers: [], notices: [] };

/** The part of a store that a reading of ESC gives. */
type StoreReading = Pick<Store, "esc" | "layers" | "notices">;

/**
 * Reads the values of ESC, through the cache if the user wants one. Without access there are no values, and perhaps a notice.
 *
 * @throws SophiaError (125) if ESC is required and could not be read
 */
export async function readFromEsc(
  access: StoreAccess,
  { environment, settings: options, files }: Pick<Start, "environment" | "settings" | "files">,
  { progress: createProgress }: Pick<Companions, "progress">,
): Promise<StoreReading> {
  if (access.kind === "incomplete")
    return { ...NO_VALUES, esc: access, notices: incompleteNotices(access, environment) };
  if (access.kind !== "on") return { ...NO_VALUES, esc: access };
  const { settings } = access;
  const credentialFile = findCredentialFile(settings, files.all.files);
  const reading = await readValues(settings, options, environment, await createProgress());
  if (reading.kind === "read") {
    const { environments, notices, cacheUse } = reading;
    const esc = { kind: "read", settings, environments, ...(cacheUse === undefined ? {} : { cacheUse }) } as const;
    return { esc, layers: addCredentialFile(reading.layers, credentialFile), notices };
  }
  const { failure, rejected } = reading;
  if (rejected !== undefined && options.enforceContract) {
    const { canExplain } = await import("../contract/esc-schema/schema-findings.ts");
    // If the contract has the same rules as the schema, its violations explain the refusal to the user. Nothing is started.
    if (canExplain(files.contract, rejected.findings, rejected.isComplete)) {
      const layers = addCredentialFile(rejected.layers, credentialFile);
      return { ...NO_VALUES, esc: { ...reading, rejected: { ...rejected, layers }, settings } };
    }
  }
  if (options.requireEsc) throw requiredEscError(failure);
  // Without `rejected`, stage 6 treats ESC as not available.
  const { rejected: _, ...unavailable } = reading;
  return { ...NO_VALUES, esc: { ...unavailable, settings } };
}

/** Returns a notice that a setting is missing; none if only the contract names an environment. */
function incompleteNotices(
  { present, missing, isByContract }: Extract<StoreAccess, { readonly kind: "incomplete" }>,
  environment: Environment,
): readonly Notice[] {
  // The values may come from elsewhere, as in most containers. Then only the message of an unmet contract names the setting.
  if (isByContract === true) return [];
  return [{ kind: "esc-incomplete", present, missing, remedy: pulumiTokenRemedy(missing, environment) }];
}

/** Reads ESC, or the cache. The code of the cache is loaded only for its options. */
async function readValues(
  settings: EscSettings,
  options: Start["settings"],
  environment: Environment,
  progress: ReadingProgress,
): Promise<EscReading> {
  const usesCache = options.cache || options.offline || options.cacheFreshMs !== undefined;
  const reading = usesCache
    ? (await import("../sources/cached/read.ts")).readThroughCache(settings, options, environment, progress)
    : (await import("../sources/esc-layers.ts")).readEsc(settings, progress);
  return reading.finally(progress.done);
}

/** Returns the error for an ESC that is required and cannot be read. */
export function requiredEscError(failure: Failure): SophiaError {
  return new SophiaError({ ...failure, message: `${failure.message} (and ESC is required)` });
}

/**
 * Returns the file that has the credential; undefined if the caller set the credential, or if the user named the file. Of the file of an
 * outer sophia-run (`OUTER_FILE`), it is not known whether the user named it.
 */
function findCredentialFile(
  { credentialFrom: { file } }: Pick<EscSettings, "credentialFrom">,
  files: DotenvReading["files"],
): string | undefined {
  return files.some(({ path, found }) => path === file && !found) ? undefined : file;
}

/**
 * Adds the file with the credential to the origins of variables of ESC. The authors of the file may have written these values as well.
 *
 * @param credentialFile undefined if no origin needs the file
 */
function addCredentialFile(layers: readonly Layer[], credentialFile: string | undefined): readonly Layer[] {
  if (credentialFile === undefined) return layers;
  const addToOrigin = (variable: Variable): Variable => {
    const { origin } = variable;
    return origin.source === "esc" ? { ...variable, origin: { ...origin, openedBy: credentialFile } } : variable;
  };
  return layers.map((layer) => ({ ...layer, variables: layer.variables.map(addToOrigin) }));
}

/** Refuses a start with `--require-esc` for which ESC will not be opened. @throws SophiaError (esc-required, 125) */
export async function requireAccess(
  access: StoreAccess,
  notices: readonly Notice[],
  environment: Environment,
): Promise<void> {
  const chosenByFile = notices.find((notice) => notice.kind === "environment-by-file");
  if (chosenByFile !== undefined) {
    const { name, file, credential } = chosenByFile;
    throw new SophiaError({
      code: "esc-required",
      message: `ESC is required, and ${name} in ${printable(file)} would decide what ${credential} of the environment opens`,
      hint: `set ${name} in the environment`,
    });
  }
  switch (access.kind) {
    case "on":
    case "fake":
      return;
    case "unconsented": {
      const refusal = notices.find((notice) => notice.kind === "environment-not-allowed");
      if (refusal === undefined) throw new TypeError("no notice of the consent");
      throw (await import("../access/consent-words.ts")).notAllowedError(refusal, "ESC is required, but ");
    }
    case "incomplete":
      throw incompleteAccessError(access, environment);
    case "off":
      throw noAccessError(environment);
  }
}

function incompleteAccessError(
  { present, missing }: Extract<StoreAccess, { readonly kind: "incomplete" }>,
  environment: Environment,
): SophiaError {
  const details = pulumiTokenRemedy(missing, environment);
  return new SophiaError({
    code: "esc-required",
    message: `ESC is required, but only ${present} is set and not ${missing}`,
    ...(details.length > 0 ? { details } : { hint: `set ${missing}` }),
  });
}

function noAccessError(environment: Environment): SophiaError {
  const remedy = pulumiTokenRemedy("ESC_TOKEN", environment);
  const token = remedy.length > 0 ? "" : " and ESC_TOKEN to an access token";
  return new SophiaError({
    code: "esc-required",
    message: "ESC is required, but neither ESC_ENV nor ESC_TOKEN is set",
    details: [`set ESC_ENV to the environment (such as sophia/dev)${token}`, ...remedy],
  });
}

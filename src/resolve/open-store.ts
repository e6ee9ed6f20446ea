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

/**
 * Reads the values of ESC, through the cache if the user wants one. Without access there are no values, and perhaps a notice.
 *
 * @throws SophiaError (125) if ESC is required and could not be read
 */
export async function readFromEsc(
  access: StoreAccess,
  { environment, settings: options, files }: Pick<Start, "environment" | "settings" | "files">,
  { progress: createProgress }: Pick<Companions, "progress">,
): Promise<Pick<Store, "esc" | "layers" | "notices">> {
  if (access.kind === "incomplete")
    return { ...NO_VALUES, esc: access, notices: incompleteNotices(access, environment) };
  if (access.kind !== "on") return { ...NO_VALUES, esc: access };
  const { settings } = access;
  const credentialFile = findCredentialFile(settings, files.all.files);
  const addOpeners = (layers: readonly Layer[]): readonly Layer[] =>
    credentialFile === undefined ? layers : layers.map((layer) => addOpener(credentialFile, layer));
  const result = await readValues(settings, options, environment, await createProgress());
  if (result.kind === "read") {
    const { environments, notices, cacheUse } = result;
    const esc = { kind: "read", settings, environments, ...(cacheUse === undefined ? {} : { cacheUse }) } as const;
    return { esc, layers: addOpeners(result.layers), notices };
  }
  const { failure, rejected } = result;
  if (rejected !== undefined && options.enforceContract) {
    const { isExplained } = await import("../contract/esc-schema/schema-findings.ts");
    // If the contract has the same rules as the schema, its violations explain the refusal to the user. Nothing is started.
    if (isExplained(files.contract, rejected.findings, rejected.isComplete)) {
      const layers = addOpeners(rejected.layers);
      return { ...NO_VALUES, esc: { ...result, rejected: { ...rejected, layers }, settings } };
    }
  }
  if (options.requireEsc) throw requiredEscError(failure);
  // Without `rejected`, stage 6 treats ESC as not available.
  const { rejected: _, ...unavailable } = result;
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

/** Adds the file with the credential to the origins of a layer. The authors of the file may have written the values as well. */
function addOpener(file: string, layer: Layer): Layer {
  const variables = layer.variables.map((variable): Variable => {
    const { origin } = variable;
    return origin.source === "esc" ? { ...variable, origin: { ...origin, openedBy: file } } : variable;
  });
  return { ...layer, variables };
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
  if (access.kind === "on" || access.kind === "fake") return;
  if (access.kind === "unconsented") {
    const refusal = notices.find((notice) => notice.kind === "environment-not-allowed");
    if (refusal === undefined) throw new TypeError("no notice of the consent");
    throw (await import("../access/consent-words.ts")).createNotAllowedError(refusal, "ESC is required, but ");
  }
  if (access.kind === "incomplete") {
    const { present, missing } = access;
    const details = pulumiTokenRemedy(missing, environment);
    throw new SophiaError({
      code: "esc-required",
      message: `ESC is required, but only ${present} is set and not ${missing}`,
      ...(details.length > 0 ? { details } : { hint: `set ${missing}` }),
    });
  }
  const remedy = pulumiTokenRemedy("ESC_TOKEN", environment);
  const token = remedy.length > 0 ? "" : " and ESC_TOKEN to an access token";
  throw new SophiaError({
    code: "esc-required",
    message: "ESC is required, but neither ESC_ENV nor ESC_TOKEN is set",
    details: [`set ESC_ENV to the environment (such as sophia/dev)${token}`, ...remedy],
  });
}

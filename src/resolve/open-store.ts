/**
 * Opens ESC for a start, by the access that `access/` has found, and reports if ESC is required (`--require-esc`) but cannot be
 * opened. Loaded only if ESC is mentioned.
 */
import { SophiaError } from "../core/error.ts";
import type { Environment, Failure, Layer, Notice, Variable } from "../core/model.ts";
import { printable } from "../core/text.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { pulumiTokenRemedy } from "../esc/settings/pulumi-token.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { Companions, Start, Store, StoreAccess } from "./start.ts";

/**
 * Reads the values of ESC, through the cache if the user wants one. Without access there are no values, and perhaps a notice.
 *
 * @throws SophiaError (125) if ESC is required and could not be read
 */
export async function readFromEsc(
  access: StoreAccess,
  { environment, settings: options, files }: Pick<Start, "environment" | "settings" | "files">,
  { progress: makeProgress }: Pick<Companions, "progress">,
): Promise<Pick<Store, "esc" | "layers" | "notices">> {
  const nothing = { layers: [], notices: [] };
  if (access.kind === "incomplete") {
    const { present, missing, isByContract } = access;
    // The values may come from elsewhere, as in most containers. Then only the message of an unmet contract names the setting.
    if (isByContract === true) return { ...nothing, esc: access };
    const remedy = pulumiTokenRemedy(missing, environment);
    return { ...nothing, esc: access, notices: [{ kind: "esc-incomplete", present, missing, remedy }] };
  }
  if (access.kind !== "on") return { ...nothing, esc: access };
  const { settings } = access;
  const credentialFile = findCredentialFile(settings, files.all.files);
  const addOpeners = (layers: readonly Layer[]): readonly Layer[] =>
    credentialFile === undefined ? layers : layers.map((layer) => addOpener(credentialFile, layer));
  const progress = await makeProgress();
  const usesCache = options.cache || options.offline || options.cacheFreshMs !== undefined;
  const reading = usesCache
    ? (await import("../sources/cached/read.ts")).readThroughCache(settings, options, environment, progress)
    : (await import("../sources/esc-layers.ts")).readEsc(settings, progress);
  const result = await reading.finally(progress.done);
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
      return { ...nothing, esc: { ...result, rejected: { ...rejected, layers }, settings } };
    }
  }
  if (options.requireEsc) throw requiredEscError(failure);
  // Without `rejected`, stage 6 treats ESC as not available.
  const { rejected: _, ...unavailable } = result;
  return { ...nothing, esc: { ...unavailable, settings } };
}

/** Returns the error for an ESC that is required and cannot be read. */
export function requiredEscError(failure: Failure): SophiaError {
  return new SophiaError({ ...failure, message: `${failure.message} (and ESC is required)` });
}

/**
 * Returns the file that has the credential, or undefined if the user named that file. `OUTER_FILE` stands for a file of an outer
 * sophia-run, of which it is not known whether the user named it.
 */
function findCredentialFile(
  { credentialFrom: { file } }: Pick<EscSettings, "credentialFrom">,
  files: DotenvReading["files"],
): string | undefined {
  return files.some(({ path, found }) => path === file && !found) ? undefined : file;
}

/** Notes the file with the credential in the origins of a layer. Its authors may have written the values that its token opens. */
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
    throw (await import("../access/consent-words.ts")).notAllowed(refusal, "ESC is required, but ");
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

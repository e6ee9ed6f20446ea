import { SophiaError } from "../core/error.ts";
import type { Environment, Failure, Layer, Notice, Variable } from "../core/model.ts";
import { printable } from "../core/text.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { pulumiTokenRemedy } from "../esc/settings/pulumi-token.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import type { Companions, Start, Store, StoreAccess } from "./start.ts";

/** Reads ESC, through the cache if it is used. @throws SophiaError if ESC is required and could not be read */
export async function readFromEsc(
  access: StoreAccess,
  { environment, settings: options, files }: Pick<Start, "environment" | "settings" | "files">,
  { progress: makeProgress }: Pick<Companions, "progress">,
): Promise<Pick<Store, "esc" | "layers" | "notices">> {
  const nothing = { layers: [], notices: [] };
  if (access.kind === "incomplete") {
    const { present, missing, isByContract } = access;
    // The values may come from elsewhere, as in most containers: only an unmet contract names it.
    if (isByContract === true) return { ...nothing, esc: access };
    const remedy = pulumiTokenRemedy(missing, environment);
    return { ...nothing, esc: access, notices: [{ kind: "esc-incomplete", present, missing, remedy }] };
  }
  if (access.kind !== "on") return { ...nothing, esc: access };
  const { settings } = access;
  const progress = await makeProgress();
  const usesCache = options.cache || options.offline || options.cacheFreshMs !== undefined;
  const reading = usesCache
    ? (await import("../sources/cached/read.ts")).readThroughCache(settings, options, environment, progress)
    : (await import("../sources/esc-layers.ts")).readEsc(settings, progress);
  const result = await reading.finally(progress.done);
  if (result.kind === "read") {
    const { environments, notices, kept } = result;
    const file = foundFile(settings, files.all.files);
    const layers = file === undefined ? result.layers : result.layers.map((layer) => openedBy(file, layer));
    return { esc: { kind: "read", settings, environments, ...(kept === undefined ? {} : { kept }) }, layers, notices };
  }
  const { failure, rejected } = result;
  if (rejected !== undefined && options.enforceContract) {
    const { isExplained } = await import("../contract/esc-schema/schema-findings.ts");
    // The contract then words the refusal, and nothing is started.
    if (isExplained(files.contract, rejected.findings, rejected.isComplete)) {
      const file = foundFile(settings, files.all.files);
      const layers = file === undefined ? rejected.layers : rejected.layers.map((layer) => openedBy(file, layer));
      return { ...nothing, esc: { ...result, rejected: { ...rejected, layers }, settings } };
    }
  }
  if (options.requireEsc) throw requiredEscError(failure);
  const { rejected: _, ...down } = result;
  return { ...nothing, esc: { ...down, settings } };
}

/** Returns the error of an ESC that is required and cannot be read. */
export function requiredEscError(failure: Failure): SophiaError {
  return new SophiaError({ ...failure, message: `${failure.message} (and ESC is required)` });
}

/** Returns the file that has the credential, unless the caller named it. That of an outer sophia-run is unknown. */
function foundFile(
  { credentialFrom: { file } }: Pick<EscSettings, "credentialFrom">,
  files: DotenvReading["files"],
): string | undefined {
  return files.some(({ path, found }) => path === file && !found) ? undefined : file;
}

/** Marks the values as the file's: with a token of its own, it opens whatever its authors have written. */
function openedBy(file: string, layer: Layer): Layer {
  const variables = layer.variables.map((variable): Variable => {
    const { origin } = variable;
    return origin.source === "esc" ? { ...variable, origin: { ...origin, openedBy: file } } : variable;
  });
  return { ...layer, variables };
}

/** Checks the settings for `--require-esc`. @throws SophiaError (esc-required, 125) */
export async function requireAccess(
  access: StoreAccess,
  notices: readonly Notice[],
  environment: Environment,
): Promise<void> {
  const byFile = notices.find((notice) => notice.kind === "environment-by-file");
  if (byFile !== undefined) {
    const { name, file, credential } = byFile;
    throw new SophiaError({
      code: "esc-required",
      message: `ESC is required, and ${name} in ${printable(file)} would decide what ${credential} of the environment opens`,
      hint: `set ${name} in the environment`,
    });
  }
  if (access.kind === "on" || access.kind === "fake") return;
  if (access.kind === "unconsented") {
    const notice = notices.find((one) => one.kind === "environment-not-allowed");
    if (notice === undefined) throw new TypeError("no notice of the consent");
    throw (await import("../access/consent-words.ts")).notAllowed(notice, "ESC is required, but ");
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

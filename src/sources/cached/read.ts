/**
 * Reads ESC with an encrypted cache of the values that ESC returned last, so that a program can also start while ESC is not
 * available. `resolve/open-store.ts` calls `readThroughCache` if the user sets one of these options:
 *
 *     --cache           ESC is read, and its values are cached; they are used if ESC is not available later
 *     --offline         only the cache is read
 *     --cache-fresh 1h  the cached values are used if they are at most one hour old; otherwise ESC is read
 *
 * Each token has its own entries, because the key that encrypts an entry is derived from the token (seal.ts).
 */
import type { Environment, Failure, Notice } from "../../core/model.ts";
import { SophiaError } from "../../core/error.ts";
import { type EscSettings, SESSION_MS } from "../../esc/settings/access-settings.ts";
import { createOldFormNotices, parseFullName } from "../../esc/settings/environment-names.ts";
import type { Secret } from "../../esc/settings/secret.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { cacheFolder } from "../../system/folders.ts";
import { within } from "../../system/paths.ts";
import type { EscFailure } from "../esc-failure.ts";
import type { CacheUse, EscReading, FreshReading } from "../esc-layers.ts";
import { type CacheContent, contentText, parseContent } from "./content.ts";
import { decrypt, encrypt, entryNameFor, randomName } from "./seal.ts";
import { removePrivate } from "../../system/private-file.ts";
import { readEntry, writeEntry } from "./store.ts";
import type { UnusedReason } from "./cache-words.ts";

export interface CacheOptions {
  readonly offline: boolean;
  /** The maximum age of values that are used without contacting ESC (`--cache-fresh`); undefined if ESC is always asked. */
  readonly cacheFreshMs: number | undefined;
  /** The maximum age of values that are used at all. */
  readonly cacheMaxAgeMs: number;
  readonly requireEsc: boolean;
  readonly enforceContract: boolean;
}

/** The cache as one start uses it. */
interface StartCache {
  readonly settings: EscSettings;
  readonly entry: CacheEntry | UnusedReason;
  /** Lines about the token and the cache. The user gets them with the values. */
  readonly remarks: string[];
}

/**
 * Reads ESC, or uses cached values: with `--offline`, while they are fresh enough, and if ESC is not available. Caches what ESC
 * returns, for the token in use. If ESC refuses the token, only the entry of that token is removed.
 *
 * @throws SophiaError as `readEsc` does; (settings, 125) for `--offline` together with `--require-esc`
 */
export async function readThroughCache(
  settings: EscSettings,
  options: CacheOptions,
  environment: Environment,
  progress: Progress,
): Promise<EscReading> {
  const { offline, requireEsc, enforceContract, cacheFreshMs, cacheMaxAgeMs } = options;
  if (offline && requireEsc) throw offlineAndRequiredError();
  const remarks: string[] = [];
  const { token, credential } =
    settings.credential.kind === "token"
      ? { token: settings.credential.token, credential: settings.credential }
      : await (await import("../../esc/auth/token.ts")).readLastingToken(settings.credential, remarks);
  const cache: StartCache = { settings, entry: locateEntry(settings, token, environment), remarks };

  if (offline) return readOffline(cache, cacheMaxAgeMs);
  if (cacheFreshMs !== undefined && !requireEsc) {
    const cached = readCachedValues(cache, Math.min(cacheFreshMs, cacheMaxAgeMs), { why: "fresh" });
    if (cached.kind === "read") return cached;
  }

  // A session that ESC opens after this time also ends later than this time plus the length of a session.
  const readAt = Date.now();
  const { readEsc } = await import("../esc-layers.ts");
  const reading = await readEsc({ ...settings, credential }, progress);
  switch (reading.kind) {
    case "read":
      return cacheReading(cache, reading, readAt);
    case "refused":
      return removeRefusedEntry(cache, reading);
    case "unavailable": {
      // If a schema in ESC refuses the present values, older values must not be used in their place: `--no-contract` allows it.
      const isRefusedBySchema = reading.rejected !== undefined && enforceContract;
      return requireEsc || isRefusedBySchema ? reading : useCacheInstead(cache, reading, cacheMaxAgeMs);
    }
  }
}

/** Returns the cached values without contacting ESC. If they cannot be used, the result is a failure as if ESC were unavailable. */
async function readOffline(cache: StartCache, maxAgeMs: number): Promise<EscReading> {
  const cached = readCachedValues(cache, maxAgeMs, { why: "offline" });
  if (cached.kind === "read") return cached;
  const { offlineFailure } = await import("./cache-words.ts");
  return { kind: "unavailable", blames: "service", failure: offlineFailure(cache.settings, cached) };
}

/** Writes the values of ESC to the cache. If that fails, the values are used anyway, and a notice gives the reason. */
async function cacheReading(
  { settings, entry, remarks }: StartCache,
  reading: FreshReading,
  readAt: number,
): Promise<EscReading> {
  const { environments, layers, mayMint } = reading;
  const expiry = mayMint() ? { until: readAt + (settings.sessionMs ?? SESSION_MS) } : {};
  const unsavedReason = saveEntry(entry, { readAt, ...expiry, environments, layers });
  if (unsavedReason !== undefined) {
    remarks.push(`the values of ESC are not cached: ${await describeReason(unsavedReason)}`);
  }
  return { ...reading, notices: [...reading.notices, ...toNotices(remarks)] };
}

/** Removes the values of a token that ESC refuses. If that fails, the failure of the start says so. */
async function removeRefusedEntry({ entry }: StartCache, refusal: EscFailure): Promise<EscFailure> {
  const fault = "kind" in entry ? undefined : removePrivate(entry.path);
  if (fault === undefined) return refusal;
  return withDetail(refusal, `the cached values could not be removed: ${await describeReason(fault)}`);
}

/** Returns the cached values in place of those of an ESC that is not available; otherwise the failure, with the reason. */
async function useCacheInstead(cache: StartCache, escFailure: EscFailure, maxAgeMs: number): Promise<EscReading> {
  const cached = readCachedValues(cache, maxAgeMs, { why: "unavailable", failure: escFailure.failure });
  if (cached.kind === "read") return cached;
  return withDetail(escFailure, `the cache is not used: ${await describeReason(cached)}`);
}

function offlineAndRequiredError(): SophiaError {
  return new SophiaError({
    code: "settings",
    message: "--offline and --require-esc cannot be used together: cached values may be out of date",
    hint: "leave one of them out (SOPHIA_OFFLINE, SOPHIA_REQUIRE_ESC)",
  });
}

/** Describes a reason. The code with the messages is loaded only here, if the cache cannot be used or written. */
async function describeReason(reason: UnusedReason): Promise<string> {
  return (await import("./cache-words.ts")).describeUnusedReason(reason);
}

function toNotices(remarks: readonly string[]): readonly Notice[] {
  return remarks.map((text) => ({ kind: "remark", text }));
}

/** The file with the values of these environments that this token has read. It need not exist. */
interface CacheEntry {
  readonly path: string;
  readonly token: Secret;
  /** The service, environments and organization as text. An entry can be decrypted only with the same text. */
  readonly valuesOrigin: string;
}

/** Returns the entry for the settings and the token; otherwise the reason why there can be none. */
function locateEntry(
  { backend, environments, organization }: EscSettings,
  token: Secret | undefined,
  environment: Environment,
): CacheEntry | UnusedReason {
  if (token === undefined) return { kind: "no-lasting-token" };
  const folder = cacheFolder(environment);
  if (folder === undefined) return { kind: "no-folder" };
  const valuesOrigin = JSON.stringify([backend, environments.map(({ text }) => text), organization ?? null]);
  return { path: within(folder, `esc-${entryNameFor(valuesOrigin, token.reveal())}`), token, valuesOrigin };
}

/** Reads and decrypts an entry. @returns the reason if it cannot be used */
function loadEntry(entry: CacheEntry | UnusedReason, maxAgeMs: number): CacheContent | UnusedReason {
  if ("kind" in entry) return entry;
  const bytes = readEntry(entry.path);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const text = decrypt(bytes, entry.token.reveal(), entry.valuesOrigin);
  const content = text === undefined ? undefined : parseContent(text);
  if (content === undefined) return { kind: "undecryptable" };
  const now = Date.now();
  const ageMs = now - content.readAt;
  if (ageMs < 0) return { kind: "from-future" };
  if (content.until !== undefined && now >= content.until) return { kind: "session-ended" };
  return ageMs > maxAgeMs ? { kind: "too-old", ageMs, maxAgeMs } : content;
}

/** Encrypts and writes an entry. @returns the reason if that failed */
function saveEntry(entry: CacheEntry | UnusedReason, content: CacheContent): UnusedReason | undefined {
  if ("kind" in entry) return entry;
  const encrypted = encrypt(contentText(content), entry.token.reveal(), entry.valuesOrigin);
  return writeEntry(entry.path, encrypted, randomName());
}

/** A successful reading whose values come from the cache. */
type CachedReading = Extract<EscReading, { kind: "read" }>;

/** Returns the cached values as a reading; otherwise the reason why they cannot be used. */
function readCachedValues(
  { settings, entry, remarks }: StartCache,
  maxAgeMs: number,
  cacheUse: CacheUse,
): CachedReading | UnusedReason {
  const content = loadEntry(entry, maxAgeMs);
  if ("kind" in content) return content;
  const oldForms = findOldForms(content, settings);
  // An earlier start may have opened the old meaning of a name, which this start must not open, so it finds no entry.
  if (settings.oneMeaning !== undefined && oldForms.length > 0) return { kind: "absent" };
  return toReading(content, cacheUse, [...toNotices(remarks), ...oldForms]);
}

/**
 * Returns a notice for each name that was opened in its old meaning. The notice is repeated at each start, because the environment
 * may belong to another organization.
 */
function findOldForms({ environments }: CacheContent, settings: EscSettings): readonly Notice[] {
  return settings.environments.flatMap((requestedName, index) => {
    const { name = "", version } = environments[index] ?? {};
    return createOldFormNotices(requestedName, parseFullName(name, version), settings.organization);
  });
}

/** Returns cached values as a reading, with the notices that a reading from ESC would have. */
function toReading(
  { readAt, environments, layers }: CacheContent,
  cacheUse: CacheUse,
  notices: readonly Notice[],
): CachedReading {
  const ageSeconds = Math.floor((Date.now() - readAt) / 1000);
  return {
    kind: "read",
    cacheUse,
    environments: environments.map((environment) => ({ ...environment, ageSeconds })),
    layers: layers.map(({ source, variables }) => ({
      source,
      variables: variables.map((variable) => ({ ...variable, origin: { ...variable.origin, ageSeconds } })),
    })),
    // The user who asks for fresh values by --cache-fresh expects no notice.
    notices: cacheUse.why === "fresh" ? notices : [cachedValuesNotice(environments, ageSeconds, cacheUse), ...notices],
  };
}

/** Returns the notice that the values come from the cache. */
function cachedValuesNotice(
  environments: CacheContent["environments"],
  ageSeconds: number,
  cacheUse: CacheUse,
): Notice {
  return {
    kind: "esc-kept",
    ageSeconds,
    environments: environments.map(({ name, version, revision = version }) =>
      revision === undefined ? name : `${name}@${revision}`,
    ),
    ...(cacheUse.why === "unavailable" ? { failure: cacheUse.failure } : {}),
  };
}

/** Adds a line to the failure of a reading. */
function withDetail<Reading extends { readonly failure: Failure }>(reading: Reading, detail: string): Reading {
  const { failure } = reading;
  return { ...reading, failure: { ...failure, details: [...(failure.details ?? []), detail] } };
}

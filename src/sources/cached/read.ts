/**
 * Reads ESC with an encrypted cache of the values that ESC returned last, for starts while ESC is not available. The options are
 * `--cache`, `--offline` (only the cache) and `--cache-fresh` (the cache first). Each token has entries of its own, because the token
 * is the source of the key by which an entry is encrypted (seal.ts).
 */
import type { Environment, Failure, Notice } from "../../core/model.ts";
import { SophiaError } from "../../core/error.ts";
import { type EscSettings, SESSION_MS } from "../../esc/settings/access-settings.ts";
import { oldFormNotices, parseFullName } from "../../esc/settings/environment-names.ts";
import type { Secret } from "../../esc/settings/secret.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { cacheFolder } from "../../system/folders.ts";
import { within } from "../../system/paths.ts";
import type { CacheUse, EscReading } from "../esc-layers.ts";
import { type CacheContent, contentText, parseContent } from "./content.ts";
import { decrypt, encrypt, entryNameFor, randomName } from "./seal.ts";
import { removePrivate } from "../../system/private-file.ts";
import { readEntry, writeEntry } from "./store.ts";
import type { UnusedReason } from "./cache-words.ts";

export interface CacheOptions {
  readonly offline: boolean;
  /** The maximum age of values that are used without contacting ESC; undefined if ESC is always asked. */
  readonly cacheFreshMs: number | undefined;
  /** The maximum age of values that are used at all. */
  readonly cacheMaxAgeMs: number;
  readonly requireEsc: boolean;
  readonly enforceContract: boolean;
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
  const { offline, requireEsc, cacheFreshMs, cacheMaxAgeMs } = options;
  if (offline && requireEsc) throw offlineAndRequiredError();
  const remarks: string[] = [];
  const { token, credential } =
    settings.credential.kind === "token"
      ? { token: settings.credential.token, credential: settings.credential }
      : await (await import("../../esc/auth/token.ts")).readLastingToken(settings.credential, remarks);
  const entry = locateEntry(settings, token, environment);
  const useCache = (maxAgeMs: number, use: CacheUse): CachedReading | UnusedReason =>
    readEntryFor(settings, entry, { maxAgeMs, use, remarks });

  if (offline) {
    const cached = useCache(cacheMaxAgeMs, { why: "offline" });
    if (cached.kind === "read") return cached;
    const { offlineFailure } = await import("./cache-words.ts");
    return { kind: "unavailable", blames: "service", failure: offlineFailure(settings, cached) };
  }
  if (cacheFreshMs !== undefined && !requireEsc) {
    const cached = useCache(Math.min(cacheFreshMs, cacheMaxAgeMs), { why: "fresh" });
    if (cached.kind === "read") return cached;
  }

  const readAt = Date.now();
  const { readEsc } = await import("../esc-layers.ts");
  const reading = await readEsc({ ...settings, credential }, progress);
  if (reading.kind === "read") {
    const { environments, layers, mayMint } = reading;
    const until = mayMint() ? { until: readAt + (settings.sessionMs ?? SESSION_MS) } : {};
    const unsaved = saveEntry(entry, { readAt, ...until, environments, layers });
    if (unsaved !== undefined) remarks.push(`the values of ESC are not cached: ${await describeReason(unsaved)}`);
    return { ...reading, notices: [...reading.notices, ...toNotices(remarks)] };
  }
  if (reading.kind === "refused") {
    const unremoved = "kind" in entry ? undefined : removePrivate(entry.path);
    return unremoved === undefined
      ? reading
      : withDetail(reading, `the cached values could not be removed: ${await describeReason(unremoved)}`);
  }
  // If a schema in ESC refuses the present values, older values must not be used in their place: `--no-contract` allows it.
  if (requireEsc || (reading.rejected !== undefined && options.enforceContract)) return reading;
  const cached = useCache(cacheMaxAgeMs, { why: "unavailable", failure: reading.failure });
  if (cached.kind === "read") return cached;
  return withDetail(reading, `the cache is not used: ${await describeReason(cached)}`);
}

function offlineAndRequiredError(): SophiaError {
  return new SophiaError({
    code: "settings",
    message: "--offline and --require-esc cannot be used together: cached values may be out of date",
    hint: "leave one of them out (SOPHIA_OFFLINE, SOPHIA_REQUIRE_ESC)",
  });
}

/** The messages are loaded only if the cache cannot be used or written. */
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
  readonly bound: string;
}

function locateEntry(
  { backend, environments, organization }: EscSettings,
  token: Secret | undefined,
  environment: Environment,
): CacheEntry | UnusedReason {
  if (token === undefined) return { kind: "no-lasting-token" };
  const folder = cacheFolder(environment);
  if (folder === undefined) return { kind: "no-folder" };
  const bound = JSON.stringify([backend, environments.map(({ text }) => text), organization ?? null]);
  return { path: within(folder, `esc-${entryNameFor(bound, token.reveal())}`), token, bound };
}

/** Reads and decrypts an entry. @returns the reason if it cannot be used */
function loadEntry(entry: CacheEntry | UnusedReason, maxAgeMs: number): CacheContent | UnusedReason {
  if ("kind" in entry) return entry;
  const bytes = readEntry(entry.path);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const text = decrypt(bytes, entry.token.reveal(), entry.bound);
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
  return writeEntry(entry.path, encrypt(contentText(content), entry.token.reveal(), entry.bound), randomName());
}

type CachedReading = Extract<EscReading, { kind: "read" }>;

/** Returns the cached values as a reading; otherwise the reason why they cannot be used. @param remarks notices about the token */
function readEntryFor(
  settings: EscSettings,
  entry: CacheEntry | UnusedReason,
  {
    maxAgeMs,
    use,
    remarks,
  }: { readonly maxAgeMs: number; readonly use: CacheUse; readonly remarks: readonly string[] },
): CachedReading | UnusedReason {
  const content = loadEntry(entry, maxAgeMs);
  if ("kind" in content) return content;
  const cached = toReading(content, use, settings, toNotices(remarks));
  // Another start may have opened the old meaning of a name, which this start must not open.
  const isOldMeaning = settings.oneMeaning !== undefined && cached.notices.some(({ kind }) => kind === "esc-old-form");
  return isOldMeaning ? { kind: "absent" } : cached;
}

/** Returns cached values as a reading, with the notices that a reading from ESC would have. */
function toReading(
  { readAt, environments, layers }: CacheContent,
  cacheUse: CacheUse,
  settings: EscSettings,
  remarks: readonly Notice[],
): CachedReading {
  const ageSeconds = Math.floor((Date.now() - readAt) / 1000);
  // A name that was opened in its old meaning is reported each time, since the environment may be another organization's.
  const oldForms = settings.environments.flatMap((written, index) => {
    const { name = "", version } = environments[index] ?? {};
    return oldFormNotices(written, parseFullName(name, version), settings.organization);
  });
  const notices = [...remarks, ...oldForms];
  // The user who asks for fresh values by --cache-fresh expects no notice.
  if (cacheUse.why !== "fresh") {
    notices.unshift({
      kind: "esc-kept",
      ageSeconds,
      environments: environments.map(({ name, version, revision = version }) =>
        revision === undefined ? name : `${name}@${revision}`,
      ),
      ...(cacheUse.why === "unavailable" ? { failure: cacheUse.failure } : {}),
    });
  }
  return {
    kind: "read",
    cacheUse,
    environments: environments.map((environment) => ({ ...environment, ageSeconds })),
    layers: layers.map(({ source, variables }) => ({
      source,
      variables: variables.map((variable) => ({ ...variable, origin: { ...variable.origin, ageSeconds } })),
    })),
    notices,
  };
}

/** Adds a line to the failure of a reading. */
function withDetail<Reading extends { readonly failure: Failure }>(reading: Reading, detail: string): Reading {
  const { failure } = reading;
  return { ...reading, failure: { ...failure, details: [...(failure.details ?? []), detail] } };
}

/** Reads ESC through an encrypted cache of its last values, for times when it is not available. */
import type { Environment, Failure, Notice } from "../../core/model.ts";
import { SophiaError } from "../../core/error.ts";
import { type EscSettings, SESSION_MS } from "../../esc/settings/access-settings.ts";
import { oldFormNotices, parseFullName } from "../../esc/settings/environment-names.ts";
import type { Secret } from "../../esc/settings/secret.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { cacheFolder } from "../../system/folders.ts";
import { within } from "../../system/paths.ts";
import type { CacheUse, EscReading } from "../esc-layers.ts";
import { type Content, contentText, parseContent } from "./content.ts";
import { nameFor, open, randomName, seal } from "./seal.ts";
import { removePrivate } from "../../system/private-file.ts";
import { readEntry, writeEntry } from "./store.ts";
import type { UnusedReason } from "./cache-words.ts";

export interface CacheOptions {
  readonly offline: boolean;
  readonly cacheFreshMs: number | undefined;
  readonly cacheMaxAgeMs: number;
  readonly requireEsc: boolean;
  readonly enforceContract: boolean;
}

/**
 * Reads ESC, or uses cached values: with `--offline`, while they are fresh enough, and if ESC is not available. Caches what
 * ESC returns, for the token in use; a refusal removes only the entry of the refused token.
 * @throws SophiaError as `readEsc` does; (settings, 125) for `--offline` together with `--require-esc`
 */
export async function readThroughCache(
  settings: EscSettings,
  options: CacheOptions,
  environment: Environment,
  progress: Progress,
): Promise<EscReading> {
  const { offline, requireEsc, cacheFreshMs, cacheMaxAgeMs } = options;
  if (offline && requireEsc) {
    throw new SophiaError({
      code: "settings",
      message: "--offline and --require-esc cannot be used together: cached values may be out of date",
      hint: "leave one of them out (SOPHIA_OFFLINE, SOPHIA_REQUIRE_ESC)",
    });
  }
  const remarks: string[] = [];
  const { token, credential } =
    settings.credential.kind === "token"
      ? { ...settings.credential, credential: settings.credential }
      : await (await import("../../esc/auth/token.ts")).readLastingToken(settings.credential, remarks);
  const entry = entryOf(settings, token, environment);
  const notices = (): readonly Notice[] => remarks.map((text) => ({ kind: "remark", text }));
  const useCache = (maxAgeMs: number, use: CacheUse): CachedReading | UnusedReason => {
    const content = load(entry, maxAgeMs);
    if ("kind" in content) return content;
    const cached = readingOf(content, use, settings, notices());
    // Another start may have opened the old meaning of a name, which this one may not.
    const isOther = settings.oneMeaning !== undefined && cached.notices.some(({ kind }) => kind === "esc-old-form");
    return isOther ? { kind: "absent" } : cached;
  };
  const because = async (reason: UnusedReason): Promise<string> =>
    (await import("./cache-words.ts")).reasonWords(reason);

  if (offline) {
    const reading = useCache(cacheMaxAgeMs, { why: "offline" });
    if (reading.kind === "read") return reading;
    const { offlineFailure } = await import("./cache-words.ts");
    return { kind: "unavailable", blames: "service", failure: offlineFailure(settings, reading) };
  }
  if (cacheFreshMs !== undefined && !requireEsc) {
    const reading = useCache(Math.min(cacheFreshMs, cacheMaxAgeMs), { why: "fresh" });
    if (reading.kind === "read") return reading;
  }

  const readAt = Date.now();
  const { readEsc } = await import("../esc-layers.ts");
  const reading = await readEsc({ ...settings, credential }, progress);
  if (reading.kind === "read") {
    const { environments, layers, mayMint } = reading;
    const until = mayMint() ? { until: readAt + (settings.sessionMs ?? SESSION_MS) } : {};
    const trouble = save(entry, { readAt, ...until, environments, layers });
    if (trouble !== undefined) remarks.push(`the values of ESC are not cached: ${await because(trouble)}`);
    return { ...reading, notices: [...reading.notices, ...notices()] };
  }
  if (reading.kind === "refused") {
    const trouble = "kind" in entry ? undefined : removePrivate(entry.path);
    return trouble === undefined
      ? reading
      : withDetail(reading, `the cached values could not be removed: ${await because(trouble)}`);
  }
  // Values that ESC has accepted before do not replace those that it refuses by the contract.
  if (requireEsc || (reading.rejected !== undefined && options.enforceContract)) return reading;
  const instead = useCache(cacheMaxAgeMs, { why: "unavailable", failure: reading.failure });
  if (instead.kind === "read") return instead;
  return withDetail(reading, `the cache is not used: ${await because(instead)}`);
}

interface CacheEntry {
  readonly path: string;
  readonly token: Secret;
  /** The backend, environments and organization, which must be those of the writing. */
  readonly bound: string;
}

function entryOf(
  { backend, environments, organization }: EscSettings,
  token: Secret | undefined,
  environment: Environment,
): CacheEntry | UnusedReason {
  if (token === undefined) return { kind: "no-lasting-token" };
  const folder = cacheFolder(environment);
  if (folder === undefined) return { kind: "no-folder" };
  const bound = JSON.stringify([backend, environments.map(({ text }) => text), organization ?? null]);
  return { path: within(folder, `esc-${nameFor(bound, token.reveal())}`), token, bound };
}

function load(entry: CacheEntry | UnusedReason, maxAgeMs: number): Content | UnusedReason {
  if ("kind" in entry) return entry;
  const bytes = readEntry(entry.path);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const text = open(bytes, entry.token.reveal(), entry.bound);
  const content = text === undefined ? undefined : parseContent(text);
  if (content === undefined) return { kind: "does-not-open" };
  const now = Date.now();
  const ageMs = now - content.readAt;
  if (ageMs < 0) return { kind: "from-future" };
  if (content.until !== undefined && now >= content.until) return { kind: "session-ended" };
  return ageMs > maxAgeMs ? { kind: "too-old", ageMs, maxAgeMs } : content;
}

function save(entry: CacheEntry | UnusedReason, content: Content): UnusedReason | undefined {
  if ("kind" in entry) return entry;
  return writeEntry(entry.path, seal(contentText(content), entry.token.reveal(), entry.bound), randomName());
}

type CachedReading = Extract<EscReading, { kind: "read" }>;

function readingOf(
  { readAt, environments, layers }: Content,
  kept: CacheUse,
  settings: EscSettings,
  remarks: readonly Notice[],
): CachedReading {
  const ageSeconds = Math.floor((Date.now() - readAt) / 1000);
  // The same notices as at the reading: it may be another organization's environment.
  const oldForms = settings.environments.flatMap((written, index) => {
    const { name = "", version } = environments[index] ?? {};
    return oldFormNotices(written, parseFullName(name, version), settings.organization);
  });
  const notices = [...remarks, ...oldForms];
  if (kept.why !== "fresh") {
    notices.unshift({
      kind: "esc-kept",
      ageSeconds,
      environments: environments.map(({ name, version, revision = version }) =>
        revision === undefined ? name : `${name}@${revision}`,
      ),
      ...(kept.why === "unavailable" ? { failure: kept.failure } : {}),
    });
  }
  return {
    kind: "read",
    kept,
    environments: environments.map((one) => ({ ...one, ageSeconds })),
    layers: layers.map(({ source, variables }) => ({
      source,
      variables: variables.map((variable) => ({ ...variable, origin: { ...variable.origin, ageSeconds } })),
    })),
    notices,
  };
}

function withDetail<Down extends { readonly failure: Failure }>(reading: Down, detail: string): Down {
  const { failure } = reading;
  return { ...reading, failure: { ...failure, details: [...(failure.details ?? []), detail] } };
}

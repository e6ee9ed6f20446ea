/**
 * An ESC server and a folder for cached values, for the tests of src/sources/cached. Both are removed after the test.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findAccessSettings, type EscSettings } from "../../../src/esc/settings/access-settings.ts";
import { SILENT } from "../../../src/esc/transport/connection.ts";
import { type CacheOptions, readThroughCache } from "../../../src/sources/cached/read.ts";
import { contentText, type CacheContent } from "../../../src/sources/cached/content.ts";
import { encrypt } from "../../../src/sources/cached/seal.ts";
import { type EscServer, type EscServerOptions, secret, startEscServer } from "../../esc-server/index.ts";
import { folder } from "../../helpers/sophia.ts";
import { requireEscSettings } from "../../esc/esc-settings.ts";

export const CACHED_VALUE = "kept-SENTINEL-value";
const ENVIRONMENT = "acme/sophia/dev";
const DAY_MS = 86_400_000;

/** Starts an ESC with one environment, and makes a folder for caches. */
export async function startCachedEsc(options: EscServerOptions = {}) {
  const server = await startEscServer({ tellsRevision: true, ...options });
  onTestFinished(() => server.close());
  const environment = server.environment(ENVIRONMENT, {
    values: { A: secret(CACHED_VALUE), B: "plain" },
    files: { F: "file" },
  });
  const cacheHome = folder();
  return {
    server,
    environment,
    cacheHome,
    folder: join(cacheHome, "sophia-run"),
    /** Returns the path of the only cache entry. */
    entryPath: (): string => join(cacheHome, "sophia-run", listEntries(cacheHome)[0] ?? "none"),
    readCachedEsc: (cacheOptions: Partial<CacheOptions> = {}, variables: Readonly<Record<string, string>> = {}) =>
      readEscThroughCache(server, cacheHome, cacheOptions, variables),
  };
}

/** Lists the names of the cache's entries and of unfinished files. */
export function listEntries(caches: string): readonly string[] {
  try {
    return readdirSync(join(caches, "sophia-run")).filter((name) => name.startsWith("esc-"));
  } catch {
    return [];
  }
}

function settingsOf(variables: Readonly<Record<string, string>>): EscSettings {
  const { access } = findAccessSettings(new Map(Object.entries(variables)), [], {
    timeoutMs: 20_000,
    insecureHttp: false,
  });
  return requireEscSettings(access);
}

/** Reads the environment as a start with these options and variables does, through the cache. */
export function readEscThroughCache(
  server: EscServer,
  caches: string,
  keeping: Partial<CacheOptions>,
  variables: Readonly<Record<string, string>>,
) {
  const esc = { ESC_ENV: ENVIRONMENT, ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  return readThroughCache(
    settingsOf({ ...esc, ...variables }),
    {
      offline: false,
      cacheFreshMs: undefined,
      cacheMaxAgeMs: DAY_MS,
      requireEsc: false,
      enforceContract: true,
      ...keeping,
    },
    new Map([["XDG_CACHE_HOME", caches]]),
    SILENT,
  );
}

/** Returns the bytes of a cache entry with the variable A. `content` replaces parts of it, such as the time of reading. */
export function createSealedEntry(server: EscServer, content: Partial<CacheContent>): Buffer {
  const origin = { source: "esc", environment: ENVIRONMENT } as const;
  const whole: CacheContent = {
    readAt: Date.now(),
    environments: [{ name: ENVIRONMENT }],
    layers: [{ source: "esc", variables: [{ name: "A", value: "made", secret: true, delivery: "value", origin }] }],
    ...content,
  };
  return encrypt(contentText(whole), server.token, JSON.stringify([server.url, [ENVIRONMENT], null]));
}

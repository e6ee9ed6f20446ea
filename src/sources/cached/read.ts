/** ESC with a memory: what it gave last is kept encrypted, for when it is not available. */
import type { Environment, Failure, Notice } from "../../core/model.ts";
import { SophiaError } from "../../core/error.ts";
import type { EscSettings } from "../../esc/settings/access.ts";
import { oldFormNotices, parseFullName } from "../../esc/settings/names.ts";
import type { Secret } from "../../esc/settings/secret.ts";
import type { Progress } from "../../esc/transport/connection.ts";
import { cacheFolder } from "../../system/cache-folder.ts";
import { within } from "../../system/paths.ts";
import type { EscReading, Kept } from "../esc.ts";
import { type Content, contentText, parseContent } from "./content.ts";
import { nameFor, open, randomName, seal } from "./seal.ts";
import { readPrivate, removePrivate, writePrivate } from "./store.ts";
import type { Reason } from "./words.ts";
import { SESSION_MS } from "../../esc/settings/access.ts";

/** How the cache may be used. */
export interface Keeping {
  readonly offline: boolean;
  readonly cacheFreshMs: number | undefined;
  readonly cacheMaxAgeMs: number;
  /** Values must come from ESC itself. */
  readonly requireEsc: boolean;
}

/**
 * Reads ESC, or uses what it gave before: with `--offline`, while that is fresh enough, and if ESC is not available.
 * Keeps what ESC gives, for the token by which it was read; a refusal removes the entry of the refused token alone.
 *
 * @param environment names the folder for caches
 * @throws SophiaError as `readEsc` does; (settings, 125) if `--offline` and `--require-esc` are given
 */
export async function readThroughCache(
  settings: EscSettings,
  keeping: Keeping,
  environment: Environment,
  progress: Progress,
): Promise<EscReading> {
  const { offline, requireEsc, cacheFreshMs, cacheMaxAgeMs } = keeping;
  if (offline && requireEsc) {
    throw new SophiaError({
      code: "settings",
      message: "--offline and --require-esc exclude each other: what is kept is not what ESC gives now",
      hint: "leave one of them out (SOPHIA_OFFLINE, SOPHIA_REQUIRE_ESC)",
    });
  }
  const remarks: string[] = [];
  const { token, credential } = await tokenOf(settings, remarks);
  const entry: Entry | Reason =
    token === undefined ? { kind: "no-lasting-token" } : entryOf(settings, token, environment);
  const notices = (): readonly Notice[] => remarks.map((text) => ({ kind: "remark", text }));
  const serve = (maxAgeMs: number, kept: Kept): Served | Reason => {
    const content = load(entry, maxAgeMs);
    return "kind" in content ? content : served(content, kept, settings, notices());
  };
  const because = async (reason: Reason): Promise<string> => (await import("./words.ts")).reasonWords(reason);

  if (offline) {
    const reading = serve(cacheMaxAgeMs, { why: "offline" });
    if (reading.kind === "read") return reading;
    const { offlineFailure } = await import("./words.ts");
    return { kind: "unavailable", blames: "service", failure: offlineFailure(settings, reading) };
  }
  if (cacheFreshMs !== undefined && !requireEsc) {
    const reading = serve(Math.min(cacheFreshMs, cacheMaxAgeMs), { why: "fresh" });
    if (reading.kind === "read") return reading;
  }

  const readAt = Date.now();
  const { readEsc } = await import("../esc.ts");
  const reading = await readEsc({ ...settings, credential }, progress);
  if (reading.kind === "read") {
    const { environments, layers, mayMint } = reading;
    const until = mayMint() ? { until: readAt + (settings.sessionMs ?? SESSION_MS) } : {};
    const trouble = save(entry, { readAt, ...until, environments, layers });
    if (trouble !== undefined) remarks.push(`what ESC gave is not kept: ${await because(trouble)}`);
    return { ...reading, notices: [...reading.notices, ...notices()] };
  }
  if (reading.kind === "refused") {
    const trouble = "kind" in entry ? undefined : removePrivate(entry.path);
    return trouble === undefined ? reading : withDetail(reading, `what is kept stays: ${await because(trouble)}`);
  }
  if (requireEsc) return reading;
  const instead = serve(cacheMaxAgeMs, { why: "unavailable", failure: reading.failure });
  if (instead.kind === "read") return instead;
  return withDetail(reading, `--cache does not serve: ${await because(instead)}`);
}

/** Where a reading is kept, and what opens it. */
interface Entry {
  readonly path: string;
  readonly token: Secret;
  /** What the reading must be of. */
  readonly bound: string;
}

function entryOf(
  { backend, environments, organization }: EscSettings,
  token: Secret,
  environment: Environment,
): Entry | Reason {
  const folder = cacheFolder(environment);
  if (folder === undefined) return { kind: "no-folder" };
  const bound = JSON.stringify([backend, environments.map(({ text }) => text), organization ?? null]);
  return { path: within(folder, `esc-${nameFor(bound, token.reveal())}`), token, bound };
}

/**
 * Returns the token if it lasts, and the credential with it: a pipe with a token in it can be read once only. A token by
 * OIDC changes at each start.
 */
async function tokenOf(
  { credential }: EscSettings,
  remarks: string[],
): Promise<{ readonly token: Secret | undefined; readonly credential: EscSettings["credential"] }> {
  if (credential.kind === "token") return { token: credential.token, credential };
  if (credential.kind !== "token-file") return { token: undefined, credential };
  const [{ readTokenFile }, { describeCredential }, { EscFault }] = await Promise.all([
    import("../../esc/auth/token-file.ts"),
    import("../../esc/settings/credentials.ts"),
    import("../../esc/faults/fault.ts"),
  ]);
  try {
    const token = await readTokenFile("ESC_TOKEN_FILE", credential.path, remarks);
    return { token, credential: { kind: "token", token, label: describeCredential(credential) } };
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    // Reading ESC reports it.
    return { token: undefined, credential };
  }
}

function load(entry: Entry | Reason, maxAgeMs: number): Content | Reason {
  if ("kind" in entry) return entry;
  const bytes = readPrivate(entry.path);
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

/** @returns why it could not be done */
function save(entry: Entry | Reason, content: Content): Reason | undefined {
  if ("kind" in entry) return entry;
  return writePrivate(entry.path, seal(contentText(content), entry.token.reveal(), entry.bound), randomName());
}

type Served = Extract<EscReading, { kind: "read" }>;

function served(
  { readAt, environments, layers }: Content,
  kept: Kept,
  settings: EscSettings,
  remarks: readonly Notice[],
): Served {
  const ageSeconds = Math.floor((Date.now() - readAt) / 1000);
  const notices = [...remarks, ...oldForms(settings, environments)];
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

/** What was reported when it was read: another organization's environment, perhaps. */
function oldForms({ environments, organization }: EscSettings, opened: Content["environments"]): readonly Notice[] {
  return environments.flatMap((asked, index) => {
    const { name = "", version } = opened[index] ?? {};
    return oldFormNotices(asked, parseFullName(name, version), organization);
  });
}

function withDetail<Down extends { readonly failure: Failure }>(reading: Down, detail: string): Down {
  const { failure } = reading;
  return { ...reading, failure: { ...failure, details: [...(failure.details ?? []), detail] } };
}

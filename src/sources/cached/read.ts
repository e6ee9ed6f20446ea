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
import { readPrivate, removeOldest, removePrivate, writePrivate } from "./store.ts";
import type { Reason } from "./words.ts";
import { SESSION_MS } from "../../esc/settings/session.ts";

/** How what is kept may serve. */
export interface Keeping {
  readonly offline: boolean;
  readonly cacheFreshMs: number | undefined;
  readonly cacheMaxAgeMs: number;
  /** Nothing but ESC itself will do. */
  readonly requireEsc: boolean;
}

/**
 * Reads ESC, or uses what it gave before: with `--offline`, while that is fresh enough, and if ESC is not available.
 * Whatever ESC gives is kept, for the token by which it was read; a refusal removes the entry of the refused token alone.
 *
 * @param environment says where the user's caches are
 * @throws SophiaError as `readEsc` does; (settings, 125) where nothing can satisfy both options
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
  const place = token === undefined ? NO_LASTING_TOKEN : placeOf(settings, token, environment);
  const notices = (): readonly Notice[] => remarks.map((text) => ({ kind: "remark", text }));

  if (offline) {
    const kept = load(place, cacheMaxAgeMs);
    if (!("kind" in kept)) return serve(kept, { why: "offline" }, settings, notices());
    const { offlineFailure } = await import("./words.ts");
    return { kind: "unavailable", blames: "service", failure: offlineFailure(settings, kept) };
  }
  if (cacheFreshMs !== undefined && !requireEsc) {
    const kept = load(place, Math.min(cacheFreshMs, cacheMaxAgeMs));
    if (!("kind" in kept)) return serve(kept, { why: "fresh" }, settings, notices());
  }

  const readAt = Date.now();
  const { readEsc } = await import("../esc.ts");
  const reading = await readEsc({ ...settings, credential }, progress);
  const because = async (reason: Reason): Promise<string> => (await import("./words.ts")).reasonWords(reason);
  if (reading.kind === "read") {
    const { environments, layers, mayMint } = reading;
    const until = mayMint() ? { until: readAt + (settings.sessionMs ?? SESSION_MS) } : {};
    const trouble = save(place, { readAt, ...until, environments, layers });
    if (trouble !== undefined) remarks.push(`what ESC gave is not kept: ${await because(trouble)}`);
    return { ...reading, notices: [...reading.notices, ...notices()] };
  }
  if (reading.kind === "refused") {
    const trouble = "kind" in place ? undefined : removePrivate(place.path);
    // Nothing can be told beside a refusal but by its failure.
    if (trouble === undefined) return reading;
    return { ...reading, failure: withDetail(reading.failure, `what is kept stays: ${await because(trouble)}`) };
  }
  if (requireEsc) return reading;
  const kept = load(place, cacheMaxAgeMs);
  if (!("kind" in kept)) return serve(kept, { why: "unavailable", failure: reading.failure }, settings, notices());
  return { ...reading, failure: withDetail(reading.failure, `--cache does not serve: ${await because(kept)}`) };
}

/** Where what is kept stands, and what opens it. */
interface Place {
  readonly path: string;
  readonly token: Secret;
  /** What it has to be about. */
  readonly bound: string;
}

const NO_LASTING_TOKEN: Reason = { kind: "no-lasting-token" };

function placeOf(
  { backend, environments, organization }: EscSettings,
  token: Secret,
  environment: Environment,
): Place | Reason {
  const folder = cacheFolder(environment);
  if (folder === undefined) return { kind: "no-folder" };
  const bound = JSON.stringify([backend, environments.map(({ text }) => text), organization ?? null]);
  return { path: within(folder, `esc-${nameFor(bound, token.reveal())}`), token, bound };
}

/**
 * The token where it lasts, and the credential with it: a pipe with a token in it can be read once only. One by OIDC is
 * another one at each start.
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
    // Reading ESC tells it.
    return { token: undefined, credential };
  }
}

function load(place: Place | Reason, maxAgeMs: number): Content | Reason {
  if ("kind" in place) return place;
  const bytes = readPrivate(place.path);
  if (!Buffer.isBuffer(bytes)) return bytes;
  const text = open(bytes, place.token.reveal(), place.bound);
  const content = text === undefined ? undefined : parseContent(text);
  if (content === undefined) return { kind: "does-not-open" };
  const now = Date.now();
  const ageMs = now - content.readAt;
  if (ageMs < 0) return { kind: "from-future" };
  if (content.until !== undefined && now >= content.until) return { kind: "session-ended" };
  return ageMs > maxAgeMs ? { kind: "too-old", ageMs, maxAgeMs } : content;
}

/** @returns why it could not be done */
function save(place: Place | Reason, content: Content): Reason | undefined {
  if ("kind" in place) return place;
  const sealed = seal(contentText(content), place.token.reveal(), place.bound);
  const trouble = writePrivate(place.path, sealed, randomName());
  if (trouble === undefined) removeOldest(place.path);
  return trouble;
}

function serve(
  { readAt, environments, layers }: Content,
  kept: Kept,
  settings: EscSettings,
  remarks: readonly Notice[],
): EscReading {
  const notices = [...remarks, ...oldForms(settings, environments)];
  const ageSeconds = Math.floor((Date.now() - readAt) / 1000);
  const aged = environments.map((one) => ({ ...one, ageSeconds }));
  return {
    kind: "read",
    kept,
    environments: aged,
    layers: layers.map(({ source, variables }) => ({
      source,
      variables: variables.map((variable) => ({ ...variable, origin: { ...variable.origin, ageSeconds } })),
    })),
    notices:
      kept.why === "fresh"
        ? notices
        : [
            {
              kind: "esc-kept",
              ageSeconds,
              environments: environments.map(({ name, version, revision }) => {
                const at = revision ?? version;
                return at === undefined ? name : `${name}@${at}`;
              }),
              ...(kept.why === "unavailable" ? { failure: kept.failure } : {}),
            },
            ...notices,
          ],
  };
}

/** What was told when it was read: another organization's environment, perhaps. */
function oldForms({ environments, organization }: EscSettings, opened: Content["environments"]): readonly Notice[] {
  return environments.flatMap((asked, index) => {
    const { name = "", version } = opened[index] ?? {};
    return oldFormNotices(asked, parseFullName(name, version), organization);
  });
}

function withDetail(failure: Failure, detail: string): Failure {
  return { ...failure, details: [...(failure.details ?? []), detail] };
}

/**
 * Detects changes of environments for `--watch`, by a cheap request for each one (its ETag), without opening it.
 *
 *     let report = await detectChanges(settings, undefined, progress);
 *     if (report.kind === "seen") report = await detectChanges(settings, report.known, progress);
 */
import type { HttpAnswer } from "../../network/http.ts";
import { EscFault, HIDDEN_STATUSES, unexpectedAnswer } from "../faults/esc-fault.ts";
import type { EscSettings } from "../settings/access-settings.ts";
import { describeCredential } from "../settings/credentials.ts";
import { type EnvironmentName, formatName, formatVersion, type FullName } from "../settings/environment-names.ts";
import { revisionIn } from "../transport/answer.ts";
import type { Connection, Progress } from "../transport/connection.ts";
import { askEsc, type AskFailure } from "./ask.ts";
import { MAX_ENVIRONMENTS, pathOfRevision, readImports } from "./definition-requests.ts";

/** An environment as it was at the last check. */
interface SeenEnvironment {
  readonly name: FullName;
  readonly etag: string;
  readonly imports: readonly FullName[];
  /** True if the definition does not show all of its imports. */
  readonly hasHiddenImports: boolean;
}

/** The result of a check. The caller hands it to the next check. The keys are full names with the version. */
export interface KnownEnvironments {
  readonly seen: ReadonlyMap<string, SeenEnvironment>;
  /** The environments that this token may not see. Their changes are found only by opening. */
  readonly hidden: ReadonlySet<string>;
}

export type ChangeReport =
  | {
      readonly kind: "seen";
      readonly known: KnownEnvironments;
      readonly hasChanged: boolean;
      /** Environments that were seen before and are refused now, with the HTTP status. They are still in `known`. */
      readonly lost: ReadonlyMap<string, number>;
      /** The settings with the token in use, so that the next check need not obtain one. */
      readonly settings: EscSettings;
    }
  | (AskFailure & { readonly retryAfterMs?: number | undefined });

/**
 * Checks the environments of the settings and all of their imports.
 *
 * @param before the result of the last check; environments that were hidden then are not checked again
 */
export async function detectChanges(
  settings: EscSettings,
  before: KnownEnvironments | undefined,
  progress: Progress,
): Promise<ChangeReport> {
  let retryAfterMs: number | undefined;
  let settingsWithToken = settings;
  const seen = new Map<string, SeenEnvironment>();
  const hidden = new Set<string>(before?.hidden);
  const lost = new Map<string, number>();
  const check = async (name: FullName, connection: Connection): Promise<void> => {
    const key = formatVersion(name);
    if (seen.has(key) || hidden.has(key)) return;
    // Above the limit, changes are found only by opening.
    if (seen.size >= MAX_ENVIRONMENTS) return void hidden.add(key);
    const known = before?.seen.get(key);
    const answer = await readState(name, connection, known);
    if (typeof answer === "number" && known !== undefined) lost.set(key, answer);
    const state = typeof answer === "number" ? known : answer;
    if (state === undefined) return void hidden.add(key);
    seen.set(key, state);
    if (state.hasHiddenImports) hidden.add(`${key} imports`);
    for (const imported of state.imports) await check(imported, connection);
  };
  const answers = await askEsc(settings, progress, async (name, connection) => {
    const { token } = connection;
    // Every check with another kind of credential would obtain a new token.
    if (token !== undefined && settings.credential.kind !== "token") {
      settingsWithToken = {
        ...settings,
        credential: { kind: "token", token, label: describeCredential(settings.credential) },
      };
    }
    try {
      await check(name, connection);
    } catch (error) {
      if (error instanceof EscFault && "retryAfterMs" in error.fault) ({ retryAfterMs } = error.fault);
      throw error;
    }
  });
  if (answers.kind !== "read") return { ...answers, retryAfterMs };
  const hasChanged =
    before === undefined ||
    seen.size !== before.seen.size ||
    Array.from(seen).some(([key, { etag }]) => before.seen.get(key)?.etag !== etag);
  return { kind: "seen", known: { seen, hidden }, hasChanged, lost, settings: settingsWithToken };
}

/** Reads the state of one environment. @returns the HTTP status if the token may not see the environment */
async function readState(
  name: FullName,
  connection: Connection,
  before: SeenEnvironment | undefined,
): Promise<SeenEnvironment | number> {
  const { version } = name;
  // A numbered revision never changes. Its imports may, so they are checked.
  if (before !== undefined && version !== undefined && /^\d+$/.test(version)) return before;
  const path = pathOfRevision(name);
  if (before !== undefined) {
    const method = version === undefined ? "HEAD" : "GET";
    const answer = await connection.ask({ method, path, headers: { "If-None-Match": before.etag } });
    if (answer.status === 304 || (answer.status === 200 && changeMarkOf(answer) === before.etag)) return before;
    if (HIDDEN_STATUSES.has(answer.status)) return answer.status;
    // `objectIn` throws the fault of any status but 200. A HEAD has no body to read.
    if (answer.status !== 200) connection.objectIn(answer);
  }
  const answer = await connection.ask({ method: "GET", path });
  if (HIDDEN_STATUSES.has(answer.status)) return answer.status;
  if (answer.status !== 200) connection.objectIn(answer);
  const etag = changeMarkOf(answer);
  if (etag === undefined) throw unexpectedAnswer(connection.host);
  const imports = await readImports(answer.data, name);
  return { name, etag, imports: imports ?? [], hasHiddenImports: imports === undefined };
}

/** Returns a text that changes with the definition: the ETag, otherwise the revision. */
function changeMarkOf(answer: HttpAnswer): string | undefined {
  return answer.headers.etag ?? revisionIn(answer);
}

/** Returns settings for the environments by the full names under which they were found, so that no name is resolved again. */
export function settingsByFullNames(settings: EscSettings, fullNames: readonly FullName[]): EscSettings {
  const environments = fullNames.map((full): EnvironmentName => {
    const version = full.version === "latest" ? undefined : full.version;
    return { text: formatName(full), ...full, version };
  });
  return environments.length === 0 ? settings : { ...settings, environments };
}

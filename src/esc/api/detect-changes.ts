/**
 * Detects changes of ESC environments for `--watch` without opening them: it asks for the ETag of each definition, which changes with
 * each revision. Opening would be slow, and would mint credentials.
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
  /** True if the names of imports cannot be read from the definition, so that their changes are found only by opening. */
  readonly hasHiddenImports: boolean;
}

/** The environments at the last check, for the next one. Keys are full names with the version, such as `acme/sophia/dev@stable`. */
export interface KnownEnvironments {
  readonly seen: ReadonlyMap<string, SeenEnvironment>;
  /** The environments whose changes are found only by opening, because this token may not see their definitions. */
  readonly hidden: ReadonlySet<string>;
}

/** The result of a check. */
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
  const check = new EnvironmentCheck(before);
  const answers = await askEsc(settings, progress, async (name, connection) => {
    const { token } = connection;
    // With any credential but a token, every check would obtain a new token.
    if (token !== undefined && settings.credential.kind !== "token") {
      const label = describeCredential(settings.credential);
      settingsWithToken = { ...settings, credential: { kind: "token", token, label } };
    }
    try {
      await check.visit(name, connection);
    } catch (error) {
      if (error instanceof EscFault && "retryAfterMs" in error.fault) ({ retryAfterMs } = error.fault);
      throw error;
    }
  });
  if (answers.kind !== "read") return { ...answers, retryAfterMs };
  const { seen, hidden, lost } = check;
  return { kind: "seen", known: { seen, hidden }, hasChanged: check.hasChanged(), lost, settings: settingsWithToken };
}

/** One check of all environments: call `visit` for each environment that the settings name. */
class EnvironmentCheck {
  readonly seen = new Map<string, SeenEnvironment>();
  readonly hidden: Set<string>;
  readonly lost = new Map<string, number>();
  readonly #before: KnownEnvironments | undefined;

  constructor(before: KnownEnvironments | undefined) {
    this.#before = before;
    this.hidden = new Set(before?.hidden);
  }

  /** Checks an environment and its imports. @throws EscFault unless the token may merely not see it */
  async visit(name: FullName, connection: Connection): Promise<void> {
    const key = formatVersion(name);
    if (this.seen.has(key) || this.hidden.has(key)) return;
    // Above the limit, changes are found only by opening.
    if (this.seen.size >= MAX_ENVIRONMENTS) return void this.hidden.add(key);
    const known = this.#before?.seen.get(key);
    const answer = await readState(name, connection, known);
    if (typeof answer === "number" && known !== undefined) this.lost.set(key, answer);
    const state = typeof answer === "number" ? known : answer;
    if (state === undefined) return void this.hidden.add(key);
    this.seen.set(key, state);
    if (state.hasHiddenImports) this.hidden.add(`${key} imports`);
    for (const imported of state.imports) await this.visit(imported, connection);
  }

  /** Returns true if an environment has another ETag than before, was added or was removed. Also true for the first check. */
  hasChanged(): boolean {
    const before = this.#before;
    return (
      before === undefined ||
      this.seen.size !== before.seen.size ||
      Array.from(this.seen).some(([key, { etag }]) => before.seen.get(key)?.etag !== etag)
    );
  }
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
  if (before !== undefined) {
    const unchanged = await findUnchangedState(name, connection, before);
    if (unchanged !== undefined) return unchanged;
    // The definition has changed. The answer to HEAD has no body, so the definition is requested below.
  }
  const answer = await connection.ask({ method: "GET", path: pathOfRevision(name) });
  if (HIDDEN_STATUSES.has(answer.status)) return answer.status;
  if (answer.status !== 200) connection.objectIn(answer);
  const etag = changeMarkOf(answer);
  if (etag === undefined) throw unexpectedAnswer(connection.host);
  const imports = await readImports(answer.data, name);
  return { name, etag, imports: imports ?? [], hasHiddenImports: imports === undefined };
}

/**
 * Asks whether a definition is still the one of the last check.
 *
 * @returns the HTTP status if the token may not see the definition; undefined if the definition has changed
 */
async function findUnchangedState(
  name: FullName,
  connection: Connection,
  before: SeenEnvironment,
): Promise<SeenEnvironment | number | undefined> {
  const method = name.version === undefined ? "HEAD" : "GET";
  const headers = { "If-None-Match": before.etag };
  const answer = await connection.ask({ method, path: pathOfRevision(name), headers });
  if (answer.status === 304 || (answer.status === 200 && changeMarkOf(answer) === before.etag)) return before;
  if (HIDDEN_STATUSES.has(answer.status)) return answer.status;
  // `objectIn` throws the fault of any status but 200.
  if (answer.status !== 200) connection.objectIn(answer);
  return undefined;
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

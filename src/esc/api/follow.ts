/** Detects changes of environments by a cheap request for each, and no session. */
import { EscFault, HIDDEN } from "../faults/fault.ts";
import type { EscSettings } from "../settings/access.ts";
import { describeCredential } from "../settings/credentials.ts";
import { type EnvironmentName, formatName, formatVersion, type FullName } from "../settings/names.ts";
import { revisionIn } from "../transport/answer.ts";
import type { Connection, Progress } from "../transport/connection.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { importedName, MOST_ENVIRONMENTS, readImports } from "../definition/imports.ts";
import { askEsc, type EscDown } from "./ask.ts";
import { pathOfRevision } from "./definition.ts";

interface Seen {
  readonly name: FullName;
  readonly etag: string;
  readonly imports: readonly FullName[];
  readonly isPart: boolean;
}

/** Environments that can be followed, and others that cannot. */
export interface Known {
  readonly seen: ReadonlyMap<string, Seen>;
  /** Not visible to this token: their changes are found only by opening. */
  readonly hidden: ReadonlySet<string>;
}

export type Look =
  | {
      readonly kind: "seen";
      readonly known: Known;
      readonly hasChanged: boolean;
      /** Environments that are refused now, with the status of HTTP, and were seen by an earlier look. They stay known. */
      readonly lost: ReadonlyMap<string, number>;
      /** The settings with the token that served, if one had to be obtained. */
      readonly settings: EscSettings;
    }
  /** `retryAfterMs`: the pause that the service asks for. */
  | (EscDown & { readonly retryAfterMs?: number | undefined });

/**
 * Looks at the environments of the settings, by their full names, and all that they import.
 *
 * @param before the result of an earlier look; environments that were hidden then are not asked for again
 */
export async function look(settings: EscSettings, before: Known | undefined, progress: Progress): Promise<Look> {
  let retryAfterMs: number | undefined;
  let used = settings;
  const seen = new Map<string, Seen>();
  const hidden = new Set<string>(before?.hidden);
  const lost = new Map<string, number>();
  const answers = await askEsc(settings, progress, async (name, connection) => {
    const { token } = connection;
    if (token !== undefined && settings.credential.kind !== "token") {
      used = { ...settings, credential: { kind: "token", token, label: describeCredential(settings.credential) } };
    }
    try {
      await walk(name, connection, before, seen, hidden, lost);
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
  return { kind: "seen", known: { seen, hidden }, hasChanged, lost, settings: used };
}

async function walk(
  root: FullName,
  connection: Connection,
  before: Known | undefined,
  seen: Map<string, Seen>,
  hidden: Set<string>,
  lost: Map<string, number>,
): Promise<void> {
  const waiting = [root];
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const key = formatVersion(name);
    if (seen.has(key) || hidden.has(key)) continue;
    if (seen.size >= MOST_ENVIRONMENTS) return void hidden.add(key);
    const known = before?.seen.get(key);
    const answer = await lookAt(name, connection, known);
    if (typeof answer === "number" && known !== undefined) lost.set(key, answer);
    const found = typeof answer === "number" ? known : answer;
    if (found === undefined) hidden.add(key);
    else {
      seen.set(key, found);
      waiting.push(...found.imports);
      if (found.isPart) hidden.add(`${key} imports`);
    }
  }
}

/** @returns the status of HTTP where the token may not see it */
async function lookAt(name: FullName, connection: Connection, before: Seen | undefined): Promise<Seen | number> {
  const { version } = name;
  // A revision stays what it is. What it imports may change.
  if (before !== undefined && version !== undefined && /^\d+$/.test(version)) return before;
  const path = pathOfRevision(name);
  if (before !== undefined) {
    const method = version === undefined ? "HEAD" : "GET";
    const answer = await connection.ask({ method, path, headers: { "If-None-Match": before.etag } });
    if (answer.status === 304 || (answer.status === 200 && markOf(answer) === before.etag)) return before;
    if (HIDDEN.has(answer.status)) return answer.status;
    // Words the status as a fault. A HEAD has no body to be read.
    if (answer.status !== 200) connection.objectIn(answer);
  }
  const answer = await connection.ask({ method: "GET", path });
  if (HIDDEN.has(answer.status)) return answer.status;
  if (answer.status !== 200) connection.objectIn(answer);
  const etag = markOf(answer);
  if (etag === undefined) throw connection.unexpected();
  const imports = await readImports(answer.data);
  return {
    name,
    etag,
    imports: (imports ?? []).flatMap((one) => importedName(one, name) ?? []),
    isPart: imports === undefined,
  };
}

/** A text that differs once the definition does. */
function markOf(answer: HttpAnswer): string | undefined {
  return answer.headers.etag ?? revisionIn(answer);
}

/** Settings for the environments by the names under which they were found: no name is looked up again. */
export function settingsByFullNames(settings: EscSettings, found: readonly FullName[]): EscSettings {
  const environments = found.map((full): EnvironmentName => {
    const version = full.version === "latest" ? undefined : full.version;
    return { text: formatName(full), ...full, version };
  });
  return environments.length === 0 ? settings : { ...settings, environments };
}

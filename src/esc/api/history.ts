/** The last changes of values, by the history of their definitions. */
import { follow, importsOf, type Path, type ValueSource } from "../definition/follow-references.ts";
import { isLinked, parseDefinition, type Parsed } from "../definition/nodes.ts";
import { SophiaError } from "../../core/error.ts";
import { statusOf } from "../faults/esc-fault.ts";
import { formatName, formatVersion, type FullName } from "../settings/environment-names.ts";
import type { Connection } from "../transport/connection.ts";
import { importedName, listRevisions, readDefinition, type Revision, type Revisions } from "./definition-requests.ts";

export type LastChange =
  | { readonly kind: "changed"; readonly environment: string; readonly revision: Revision }
  /** The same in all revisions that were read; there are older ones. */
  | { readonly kind: "unchanged"; readonly environment: string; readonly since: Revision }
  | { readonly kind: "minted"; readonly environment: string }
  /** Its source is not visible to this token, or cannot be read. */
  | { readonly kind: "unseen"; readonly what: string };

const MOST_IMPORTS = 50;

class Unseen extends Error {
  readonly what: string;
  constructor(what: string) {
    super("not visible");
    this.what = what;
  }
}

/** Searches histories of definitions by bisection: a change undone between two compared revisions is not found. */
export class Histories {
  readonly #connection: Connection;
  readonly #definitions = new Map<string, Promise<Parsed>>();
  readonly #revisions = new Map<string, Promise<Revisions>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @param path below `values` @returns undefined if nothing has it @throws EscFault except for 403 and 404 */
  async lastChange(
    name: FullName,
    path: Path,
    trail: ReadonlySet<string> = new Set(),
  ): Promise<LastChange | undefined> {
    const id = `${formatVersion(name)} ${JSON.stringify(path)}`;
    if (trail.has(id) || trail.size > MOST_IMPORTS) return undefined;
    const within = new Set([...trail, id]);
    try {
      const parsed = await this.#definition(name);
      const made = follow(parsed, path);
      if (made === undefined) return await this.#imported(name, parsed, path, within);
      if (made.isMinted) return { kind: "minted", environment: formatName(name) };
      const ownChange = await this.#ownChange(name, path, made);
      const outsideChanges = await Promise.all(
        made.outside.map(({ environment, path: inside }) =>
          environment === undefined
            ? this.#imported(name, parsed, inside, within)
            : this.#changeIn(environment, name, inside, within),
        ),
      );
      return latest([ownChange, ...outsideChanges.filter((one) => one !== undefined)]);
    } catch (error) {
      if (error instanceof Unseen) return { kind: "unseen", what: error.what };
      throw error;
    }
  }

  /** Returns the text of a definition, without a further request if it was read. @returns undefined if it is not visible @throws EscFault */
  async definitionText(name: FullName): Promise<string | undefined> {
    try {
      return (await this.#definition(name)).yaml;
    } catch (error) {
      if (error instanceof Unseen) return undefined;
      throw error;
    }
  }

  async #imported(
    name: FullName,
    parsed: Parsed,
    path: Path,
    trail: ReadonlySet<string>,
  ): Promise<LastChange | undefined> {
    for (const { written, isMerged } of (importsOf(parsed) ?? []).toReversed()) {
      if (!isMerged) continue;
      const change = await this.#changeIn(written, name, path, trail);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  async #changeIn(
    written: string,
    name: FullName,
    path: Path,
    trail: ReadonlySet<string>,
  ): Promise<LastChange | undefined> {
    const imported = importedName(written, name);
    if (imported === undefined) return { kind: "unseen", what: `the environment ${written}` };
    return this.lastChange(imported, path, trail);
  }

  async #ownChange(name: FullName, path: Path, made: ValueSource): Promise<LastChange> {
    const environment = formatName(name);
    const { revisions, hasMore } = await this.#history(name);
    const [newest] = revisions;
    const oldest = revisions.at(-1);
    if (newest === undefined || oldest === undefined) throw new Unseen(`the revisions of ${environment}`);
    const isSame = async (index: number): Promise<boolean> => {
      const { number } = revisions[index] ?? newest;
      const then = await this.#definition({ ...name, version: String(number) });
      return follow(then, path)?.text === made.text;
    };
    // The last revision known to be the same, and the first known to differ.
    let same = 0;
    let different = revisions.length;
    for (let index = 1; different === revisions.length && same + 1 < revisions.length;) {
      if (await isSame(index)) same = index;
      else different = index;
      index = Math.min(index * 2, revisions.length - 1);
    }
    while (same + 1 < different) {
      const middle = (same + different) >> 1;
      if (await isSame(middle)) same = middle;
      else different = middle;
    }
    const revision = revisions[same] ?? newest;
    if (different < revisions.length || !hasMore) return { kind: "changed", environment, revision };
    return { kind: "unchanged", environment, since: oldest };
  }

  async #history(name: FullName): Promise<Revisions> {
    const { version, ...latestName } = name;
    const history = await once(this.#revisions, formatName(name), () =>
      visible(`the revisions of ${formatName(name)}`, () => listRevisions(latestName, this.#connection)),
    );
    if (version === undefined) return history;
    const at = history.revisions.findIndex(({ number, tags }) => String(number) === version || tags.includes(version));
    if (at === -1) throw new Unseen(`revision ${version} of ${formatName(name)}`);
    return { ...history, revisions: history.revisions.slice(at) };
  }

  #definition(name: FullName): Promise<Parsed> {
    const at = name.version === undefined ? "" : ` in revision ${name.version}`;
    return once(this.#definitions, formatVersion(name), async () => {
      const what = `the definition of ${formatName(name)}${at}`;
      const { yaml } = await visible(what, () => readDefinition(name, this.#connection));
      try {
        const parsed = parseDefinition(yaml);
        // Aliases are not followed.
        if (parsed.top !== undefined && isLinked(parsed.top)) throw new Unseen(`${what} (an unusual form)`);
        return parsed;
      } catch (error) {
        if (error instanceof SophiaError) throw new Unseen(`${what} (an unusual form)`);
        throw error;
      }
    });
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const there = known.get(key) ?? make();
  known.set(key, there);
  return there;
}

/** @throws Unseen for 403 and 404 */
async function visible<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw [403, 404].includes(statusOf(error) ?? 0) ? new Unseen(what) : error;
  }
}

/** Returns the last change of several values together: unseen if one of them is, else the newest. */
function latest(changes: readonly LastChange[]): LastChange | undefined {
  const unseen = changes.find(({ kind }) => kind === "unseen") ?? changes.find(({ kind }) => kind === "minted");
  if (unseen !== undefined) return unseen;
  const changed = changes.filter((one) => one.kind === "changed");
  // The sort is stable: the first of the same time wins.
  const [newest] = changed.toSorted((a, b) => b.revision.created.getTime() - a.revision.created.getTime());
  const unchanged = changes.find((one) => one.kind === "unchanged");
  const isNewer =
    newest !== undefined && (unchanged === undefined || newest.revision.created >= unchanged.since.created);
  return isNewer ? newest : unchanged;
}

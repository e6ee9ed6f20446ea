/**
 * Finds when values of ESC last changed, for `audit`, which reports old secrets. ESC keeps all revisions of a definition, and this file
 * searches them for the newest one that defines a value in another way than the revision before.
 */
import { followReferences, importsOf, type ValuePath, type ValueSource } from "../definition/follow-references.ts";
import { isLinked, parseDefinition, type ParsedDefinition } from "../definition/nodes.ts";
import { SophiaError } from "../../core/error.ts";
import { statusOf } from "../faults/esc-fault.ts";
import { formatName, formatVersion, type FullName } from "../settings/environment-names.ts";
import type { Connection } from "../transport/connection.ts";
import { importedName, listRevisions, readDefinition, type Revision, type Revisions } from "./definition-requests.ts";

/** The last change of a value. */
export type LastChange =
  | { readonly kind: "changed"; readonly environment: string; readonly revision: Revision }
  /** The value is the same in all revisions that were read, and there are older ones. */
  | { readonly kind: "unchanged"; readonly environment: string; readonly since: Revision }
  /** A provider makes a new value whenever the environment is opened, so the value is never old. */
  | { readonly kind: "minted"; readonly environment: string }
  /** The token may not see what makes the value, or it cannot be read. `what` names it: `the definition of acme/base`. */
  | { readonly kind: "unseen"; readonly what: string };

/** The limit on imports of imports, since a definition may be written to have any number of them. */
const MAX_IMPORT_DEPTH = 50;

/** Thrown for something that the token may not see, or that cannot be read; it becomes a `LastChange` of kind `unseen`. */
class NotVisible extends Error {
  readonly what: string;
  constructor(what: string) {
    super("not visible");
    this.what = what;
  }
}

/**
 * The histories of definitions, each of which is read at most once. They are searched by bisection: a change that was undone
 * between two compared revisions is not found.
 */
export class DefinitionHistories {
  readonly #connection: Connection;
  readonly #definitions = new Map<string, Promise<ParsedDefinition>>();
  readonly #revisions = new Map<string, Promise<Revisions>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Finds the last change of the value at a path below `values`, in this environment, its imports and what the value refers to.
   *
   * @param trail the environments and paths through which the search came here, so that circular imports end
   * @returns undefined if no definition has the value
   * @throws EscFault, except for the statuses 403 and 404
   */
  async lastChange(
    name: FullName,
    path: ValuePath,
    trail: ReadonlySet<string> = new Set(),
  ): Promise<LastChange | undefined> {
    const id = `${formatVersion(name)} ${JSON.stringify(path)}`;
    if (trail.has(id) || trail.size > MAX_IMPORT_DEPTH) return undefined;
    const longerTrail = new Set([...trail, id]);
    try {
      const parsed = await this.#definition(name);
      const source = followReferences(parsed, path);
      if (source === undefined) return await this.#changeInImports(name, parsed, path, longerTrail);
      if (source.isMinted) return { kind: "minted", environment: formatName(name) };
      const ownChange = await this.#changeInOwnRevisions(name, path, source);
      const outsideChanges = await Promise.all(
        source.outside.map(({ environment, path: outsidePath }) =>
          environment === undefined
            ? this.#changeInImports(name, parsed, outsidePath, longerTrail)
            : this.#changeInImport(environment, name, outsidePath, longerTrail),
        ),
      );
      return latest([ownChange, ...outsideChanges.filter((change) => change !== undefined)]);
    } catch (error) {
      if (error instanceof NotVisible) return { kind: "unseen", what: error.what };
      throw error;
    }
  }

  /** Returns the text of a definition, without a further request if it was read. @returns undefined if it is not visible @throws EscFault */
  async definitionText(name: FullName): Promise<string | undefined> {
    try {
      return (await this.#definition(name)).yaml;
    } catch (error) {
      if (error instanceof NotVisible) return undefined;
      throw error;
    }
  }

  /** Searches the imports from the last to the first, since later imports win. */
  async #changeInImports(
    name: FullName,
    parsed: ParsedDefinition,
    path: ValuePath,
    trail: ReadonlySet<string>,
  ): Promise<LastChange | undefined> {
    for (const { written, isMerged } of (importsOf(parsed) ?? []).toReversed()) {
      if (!isMerged) continue;
      const change = await this.#changeInImport(written, name, path, trail);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  async #changeInImport(
    written: string,
    name: FullName,
    path: ValuePath,
    trail: ReadonlySet<string>,
  ): Promise<LastChange | undefined> {
    const imported = importedName(written, name);
    if (imported === undefined) return { kind: "unseen", what: `the environment ${written}` };
    return this.lastChange(imported, path, trail);
  }

  /** Finds the revision of the definition itself in which the value got its present source. */
  async #changeInOwnRevisions(name: FullName, path: ValuePath, source: ValueSource): Promise<LastChange> {
    const environment = formatName(name);
    const { revisions, hasMore } = await this.#history(name);
    const [newest] = revisions;
    const oldest = revisions.at(-1);
    if (newest === undefined || oldest === undefined) throw new NotVisible(`the revisions of ${environment}`);
    const isSame = async (index: number): Promise<boolean> => {
      const { number } = revisions[index] ?? newest;
      const older = await this.#definition({ ...name, version: String(number) });
      return followReferences(older, path)?.text === source.text;
    };
    const oldestSameIndex = await findLastSame(revisions.length, isSame);
    const isSameInAll = oldestSameIndex === revisions.length - 1;
    if (isSameInAll && hasMore) return { kind: "unchanged", environment, since: oldest };
    return { kind: "changed", environment, revision: revisions[oldestSameIndex] ?? newest };
  }

  /** Returns the revisions up to the version of the name, the newest first. */
  async #history(name: FullName): Promise<Revisions> {
    const { version, ...latestName } = name;
    const history = await memoize(this.#revisions, formatName(name), () =>
      requireVisible(`the revisions of ${formatName(name)}`, () => listRevisions(latestName, this.#connection)),
    );
    if (version === undefined) return history;
    const start = history.revisions.findIndex(
      ({ number, tags }) => String(number) === version || tags.includes(version),
    );
    if (start === -1) throw new NotVisible(`revision ${version} of ${formatName(name)}`);
    return { ...history, revisions: history.revisions.slice(start) };
  }

  /** Reads and parses a definition, once for each name and version. @throws NotVisible */
  #definition(name: FullName): Promise<ParsedDefinition> {
    const inRevision = name.version === undefined ? "" : ` in revision ${name.version}`;
    return memoize(this.#definitions, formatVersion(name), async () => {
      const what = `the definition of ${formatName(name)}${inRevision}`;
      const { yaml } = await requireVisible(what, () => readDefinition(name, this.#connection));
      try {
        const parsed = parseDefinition(yaml);
        // Aliases of YAML are not followed.
        if (parsed.top !== undefined && isLinked(parsed.top)) throw new NotVisible(`${what} (an unusual form)`);
        return parsed;
      } catch (error) {
        if (error instanceof SophiaError) throw new NotVisible(`${what} (an unusual form)`);
        throw error;
      }
    });
  }
}

/**
 * Finds the last item of a list that is the same as the first item, by a few comparisons. Once an item differs, all later ones are
 * taken to differ.
 */
async function findLastSame(length: number, isSame: (index: number) => Promise<boolean>): Promise<number> {
  let sameIndex = 0;
  // The smallest index that is known to differ; `length` until one is known.
  let differentIndex = length;
  // Steps of doubled length find an item that differs. Most values have changed recently, so a few steps are enough.
  for (let index = 1; differentIndex === length && sameIndex + 1 < length; index = Math.min(index * 2, length - 1)) {
    if (await isSame(index)) sameIndex = index;
    else differentIndex = index;
  }
  // Bisection finds the boundary between the two.
  while (sameIndex + 1 < differentIndex) {
    const middle = (sameIndex + differentIndex) >> 1;
    if (await isSame(middle)) sameIndex = middle;
    else differentIndex = middle;
  }
  return sameIndex;
}

/** Returns the promise for a key, which `make` creates when the key is asked for the first time. */
function memoize<T>(promises: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const promise = promises.get(key) ?? make();
  promises.set(key, promise);
  return promise;
}

/** Calls `ask`. @param what names what is asked for @throws NotVisible for the HTTP statuses 403 and 404 */
async function requireVisible<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw [403, 404].includes(statusOf(error) ?? 0) ? new NotVisible(what) : error;
  }
}

/**
 * Returns the last change of several values together: `unseen` or `minted` if one of them is; otherwise the newest change.
 */
function latest(changes: readonly LastChange[]): LastChange | undefined {
  const undatable = changes.find(({ kind }) => kind === "unseen") ?? changes.find(({ kind }) => kind === "minted");
  if (undatable !== undefined) return undatable;
  const changed = changes.filter((change) => change.kind === "changed");
  // The sort is stable: of several changes at the same time the first one wins.
  const [newest] = changed.toSorted((a, b) => b.revision.created.getTime() - a.revision.created.getTime());
  const unchanged = changes.find((change) => change.kind === "unchanged");
  const isNewer =
    newest !== undefined && (unchanged === undefined || newest.revision.created >= unchanged.since.created);
  return isNewer ? newest : unchanged;
}

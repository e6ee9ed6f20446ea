/**
 * Limits how far the values of files are trusted, since a file may come with a cloned repository. resolve-values.ts calls two functions:
 *
 * 1. `findRisks` finds what files must not set for the program, before the program's variables are selected.
 * 2. `addMarkOfFiles` lists, in a variable, what the program gets from files. A sophia-run that the program starts (a nested one) then
 *    does not take those variables for the caller's.
 */
import type { Layer, Origin, Resolution } from "../core/model.ts";
import { isSuspect } from "../trust/suspects.ts";
import { FROM_FILES, isTrustedOrigin, MARKED_VARIABLES } from "../esc/settings/from-files.ts";
import type { Risks, TrustContext } from "./risks-of-files.ts";

export const NO_RISKS: Risks = { byName: new Map(), marked: [] };

/** The length of `_FILE` in `NAME_FILE`. */
const POINTER_SUFFIX_LENGTH = "_FILE".length;

/** Qdrant has no default address. So `key-addresses.ts` does not list its variable, and files may set the address. */
const ADDRESS_AND_KEY = ["QDRANT_URL", "QDRANT_API_KEY"] as const;

/** Finds what files must not set for the program. The rules (`assessRisks`) are loaded only if a file has a suspect variable. */
export async function findRisks(layers: readonly Layer[], context: TrustContext): Promise<Risks> {
  const hasSuspect = layers.some(({ variables }) =>
    variables.some(({ name, value, origin }) => !isTrustedOrigin(origin) && isSuspect(name, value)),
  );
  return hasSuspect ? (await import("./risks-of-files.ts")).assessRisks(layers, context) : NO_RISKS;
}

/**
 * Adds the mark for a nested sophia-run (`SOPHIA_FROM_FILES`) if a file sets a variable that decides where secrets are sent. The mark of
 * an outer sophia-run is replaced, or removed if no variable needs a mark.
 *
 * @param riskyNames the variables that `findRisks` wants marked
 */
export function addMarkOfFiles(
  selected: Resolution,
  riskyNames: readonly string[],
  isDeclared: (name: string) => boolean,
): Resolution {
  const isOfFile = (name: string): boolean => {
    const origin = selected.get(name)?.origin;
    return origin !== undefined && !isTrustedOrigin(origin);
  };
  const qdrantNames = isOfFile(ADDRESS_AND_KEY[0]) ? qdrantNamesIn(selected) : [];
  // A nested sophia-run would read the file that the variable names.
  const pointers = [...selected.keys()].filter(
    (name) => name.endsWith("_FILE") && isDeclared(name.slice(0, -POINTER_SUFFIX_LENGTH)),
  );
  const names = [...new Set([...MARKED_VARIABLES, ...riskyNames, ...qdrantNames, ...pointers])].filter(isOfFile);
  if (names.length === 0 && !selected.has(FROM_FILES)) return selected;
  const marked = new Map(selected);
  marked.delete(FROM_FILES);
  if (names.length === 0) return marked;
  return marked.set(FROM_FILES, {
    name: FROM_FILES,
    value: names.join(","),
    secret: false,
    origin: { source: "environment" },
    delivery: "value",
  });
}

/** Returns the variable with Qdrant's address; also the one with its key if both have the same source. A broker compares them. */
function qdrantNamesIn(selected: Resolution): readonly string[] {
  const [address, key] = ADDRESS_AND_KEY.map((name) => selected.get(name)?.origin);
  const fileOf = (origin: Origin): string => ("file" in origin ? origin.file : origin.source);
  const haveSameSource = address !== undefined && key !== undefined && fileOf(address) === fileOf(key);
  return haveSameSource ? ADDRESS_AND_KEY : ADDRESS_AND_KEY.slice(0, 1);
}

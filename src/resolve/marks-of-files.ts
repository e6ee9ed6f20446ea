/**
 * With what files are trusted: their risks are found before variables are selected; then what they set, and what decides where
 * secrets go, is marked for a nested sophia-run.
 */
import type { Layer, Origin, Resolution } from "../core/model.ts";
import { isSuspect } from "../trust/suspects.ts";
import { FROM_FILES, isTrustedOrigin, MARKED_VARIABLES } from "../esc/settings/from-files.ts";
import type { Risks, Trust } from "./risks-of-files.ts";

export const NO_RISKS: Risks = { byName: new Map(), marked: [] };

/** Finds what files may not set for the program; see `risksIn`, which is loaded only if a name suggests one. */
export async function findRisks(layers: readonly Layer[], trust: Trust): Promise<Risks> {
  const hasSuspect = layers.some(({ variables }) =>
    variables.some(({ name, value, origin }) => !isTrustedOrigin(origin) && isSuspect(name, value)),
  );
  return hasSuspect ? (await import("./risks-of-files.ts")).risksIn(layers, trust) : NO_RISKS;
}

/** Adds the mark for a nested sophia-run, if a file sets a variable that decides where secrets go. */
export function markFromFiles(
  selected: Resolution,
  addresses: readonly string[],
  isDeclared: (name: string) => boolean,
): Resolution {
  const isOfFile = (name: string): boolean => {
    const origin = selected.get(name)?.origin;
    return origin !== undefined && !isTrustedOrigin(origin);
  };
  const pair = isOfFile(PAIR[0]) ? pairIn(selected) : [];
  // A nested sophia-run would read the file.
  const pointers = [...selected.keys()].filter((name) => name.endsWith("_FILE") && isDeclared(name.slice(0, -5)));
  const names = [...new Set([...MARKED_VARIABLES, ...addresses, ...pair, ...pointers])].filter(isOfFile);
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

const PAIR = ["QDRANT_URL", "QDRANT_API_KEY"] as const;

/** Returns the address of a service without one of its own, and its key if it has the same source: a broker compares them. */
function pairIn(selected: Resolution): readonly string[] {
  const [url, key] = PAIR.map((name) => selected.get(name)?.origin);
  const fileOf = (origin: Origin): string => ("file" in origin ? origin.file : origin.source);
  return url && key && fileOf(url) === fileOf(key) ? PAIR : PAIR.slice(0, 1);
}

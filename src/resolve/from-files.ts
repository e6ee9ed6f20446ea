/** Variables that files may not set for the program, and the mark of those that they set. */
import { OPTION_NAMES, variableOf } from "../command-line/options.ts";
import type { Layer, Notice, Origin, Resolution, Variable } from "../core/model.ts";
import { isSuspect } from "../core/suspects.ts";
import type { EscAccess } from "../esc/settings/access.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import { FROM_FILES, isCallersWord, MARKED_VARIABLES, OUTER_FILE } from "../esc/settings/from-files.ts";
import type { Risks, Trust } from "./risks.ts";

/** Settings of sophia-run, which a file never sets for a nested sophia-run. */
const SETTINGS: ReadonlySet<string> = new Set([
  ...WITHHELD_VARIABLES,
  ADMIN_TOKEN,
  "ESC_ORG",
  FROM_FILES,
  // It would have a nested sophia-run pass on the real keys.
  "SOPHIA_BROKERED",
  ...OPTION_NAMES.map(variableOf),
]);

/** Returns true for a variable of a file that a nested sophia-run would take for the caller's setting. */
export function isReserved(
  { name, origin }: Pick<Variable, "name" | "origin">,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  return !isCallersWord(origin) && isReservedName(name, isAllowed, isDeclared);
}

/** Returns true for a name that no file, and no ESC environment, sets for the program. */
export function isReservedName(
  name: string,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  if (SETTINGS.has(name)) return true;
  // The Pulumi CLI reads it, too. If the caller allows it, it is passed on with the mark of a file.
  if (name === "PULUMI_BACKEND_URL") return !isAllowed(name);
  // A later version may read it; but programs also have such variables.
  return (name.startsWith("ESC_") || name.startsWith("SOPHIA_")) && !isAllowed(name) && !isDeclared(name);
}

/** Finds what files may not set for the program; see `risksIn`, which is loaded only if a name suggests one. */
export async function findRisks(layers: readonly Layer[], trust: Trust): Promise<Risks> {
  const isOne = layers.some(({ variables }) =>
    variables.some(({ name, value, origin }) => !isCallersWord(origin) && isSuspect(name, value)),
  );
  return isOne ? (await import("./risks.ts")).risksIn(layers, trust) : { byName: new Map(), marked: [] };
}

function openedByFile(origin: Origin | undefined): string | undefined {
  return origin?.source === "esc" ? origin.openedBy : undefined;
}

type Withheld = Extract<Notice, { readonly kind: "withheld" }>["why"];

/** Reports variables of files that the program does not get, except settings that sophia-run takes from files. */
export function withheldNotices(
  layers: readonly Layer[],
  selected: Resolution,
  { risks }: { readonly risks: Risks["byName"] },
  why: (variable: Variable) => string | undefined,
  { keepEsc, esc }: { readonly keepEsc: boolean; readonly esc: EscAccess["kind"] | "fake" },
): readonly Notice[] {
  const used = new Set([FROM_FILES, ...(keepEsc ? [] : ["ESC_ORG", ...(esc === "off" ? [] : ["PULUMI_BACKEND_URL"])])]);
  return layers.flatMap(({ source, variables }) => {
    const opener = openedByFile(variables[0]?.origin);
    const isOfFile = source === "dotenv" || source === "contract" || opener !== undefined;
    // Other sources contain variables of a file only through an outer sophia-run or a contract.
    if (!isOfFile && risks.size === 0) return [];
    const found = new Map<string, { why: Withheld; file: string; environment?: string; names: string[] }>();
    for (const variable of variables) {
      const { name, value, origin } = variable;
      const risk = risks.get(name)?.get(origin);
      if (risk === undefined && (!isOfFile || value === "")) continue;
      if (selected.get(name)?.value === value || (used.has(name) && opener === undefined)) continue;
      const reason = why(variable);
      if (selected.has(name) && reason !== "callers-own") continue;
      const known = reason === "reserved" || reason === "callers-own" ? reason : risk;
      if (known === undefined || known !== reason) continue;
      const elsewhere = origin.alias === undefined ? OUTER_FILE : "the contract";
      const file = "file" in origin ? origin.file : (opener ?? elsewhere);
      const inEsc = opener !== undefined && "environment" in origin ? { environment: origin.environment } : {};
      const entry = found.get(known) ?? { why: known, file, ...inEsc, names: [] };
      entry.names.push(name);
      found.set(known, entry);
    }
    return Array.from(found.values(), (entry) => ({ kind: "withheld" as const, ...entry }));
  });
}

const PAIR = ["QDRANT_URL", "QDRANT_API_KEY"] as const;

/** Returns the address of a service without one of its own, and its key if it has the same source: a broker compares them. */
function pairIn(selected: Resolution): readonly string[] {
  const [url, key] = PAIR.map((name) => selected.get(name)?.origin);
  const fileOf = (origin: Origin): string => ("file" in origin ? origin.file : origin.source);
  return url && key && fileOf(url) === fileOf(key) ? PAIR : PAIR.slice(0, 1);
}

/** Adds the mark for a nested sophia-run, if a file sets a variable that decides where secrets go. */
export function markFromFiles(selected: Resolution, addresses: readonly string[]): Resolution {
  const isOfFile = (name: string): boolean => {
    const origin = selected.get(name)?.origin;
    return origin !== undefined && !isCallersWord(origin);
  };
  const pair = isOfFile(PAIR[0]) ? pairIn(selected) : [];
  const names = [...new Set([...MARKED_VARIABLES, ...addresses, ...pair])].filter(isOfFile);
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

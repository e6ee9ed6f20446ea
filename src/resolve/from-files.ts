/** Variables that files do not decide for the program, and the mark of those that they do. */
import { OPTION_NAMES, variableOf } from "../command-line/options.ts";
import { mayRunCode } from "../core/code-variables.ts";
import type { Layer, Notice, Origin, Resolution, Variable } from "../core/model.ts";
import type { EscAccess } from "../esc/settings/access.ts";
import { ADMIN_TOKEN, WITHHELD_VARIABLES } from "../esc/settings/own-variables.ts";
import { FROM_FILES, isCallersWord, MARKED_VARIABLES, OUTER_FILE } from "../esc/settings/from-files.ts";
import type { Addresses, Places, Trust } from "./redirections.ts";

/** Settings of sophia-run: a file never sets them for a sophia-run that the program starts. */
const SETTINGS: ReadonlySet<string> = new Set([
  ...WITHHELD_VARIABLES,
  ADMIN_TOKEN,
  "ESC_ORG",
  FROM_FILES,
  ...OPTION_NAMES.map(variableOf),
]);

/** Returns true for a variable of a file that would speak for the caller to a sophia-run in the program. */
export function isReserved(
  { name, origin }: Pick<Variable, "name" | "origin">,
  isAllowed: (name: string) => boolean,
  isDeclared: (name: string) => boolean,
): boolean {
  if (isCallersWord(origin)) return false;
  if (SETTINGS.has(name)) return true;
  // The Pulumi CLI's as well. Where the caller allows it, it is passed on with the mark of a file.
  if (name === "PULUMI_BACKEND_URL") return !isAllowed(name);
  // A later sophia-run may come to read it; yet programs have variables that begin like this, too.
  return (name.startsWith("ESC_") || name.startsWith("SOPHIA_")) && !isAllowed(name) && !isDeclared(name);
}

/** The places in files that were found by search, not named, at which a variable makes other programs run code. */
export async function findCode(
  layers: readonly Layer[],
  isFound: (file: string) => boolean,
): Promise<ReadonlySet<Origin>> {
  const suspects = layers
    .filter(({ source }) => source === "dotenv")
    .flatMap(({ variables }) =>
      variables.filter(({ name, origin }) => mayRunCode(name) && origin.source === "dotenv" && isFound(origin.file)),
    );
  if (suspects.length === 0) return new Set();
  const { runsCode } = await import("../core/code-values.ts");
  return new Set(suspects.filter(({ name, value }) => runsCode(name, value)).map(({ origin }) => origin));
}

/** The endings of the names in core/key-addresses.ts. */
const PERHAPS_ADDRESS = /_(?:BASE_URL|API(?:_BASE|_URL|_HOST)?|ENDPOINT|PROXY)$/;

export async function findAddresses(
  layers: readonly Layer[],
  trust: Trust,
  isAllowed: (name: string) => boolean,
): Promise<Addresses> {
  const isSuspect = layers.some(({ variables }) =>
    variables.some(({ name, origin }) => !isCallersWord(origin) && PERHAPS_ADDRESS.test(name)),
  );
  if (!isSuspect) return { redirections: new Map(), marked: [] };
  return (await import("./redirections.ts")).addressesIn(layers, trust, isAllowed);
}

type Withheld = Extract<Notice, { readonly kind: "withheld" }>["why"];

/** Tells what files set in vain. Silent about the settings that sophia-run itself takes from files. */
export function withheldNotices(
  layers: readonly Layer[],
  selected: Resolution,
  { redirections }: { readonly redirections: Places },
  why: (variable: Variable) => string | undefined,
  { keepEsc, esc }: { readonly keepEsc: boolean; readonly esc: EscAccess["kind"] | "fake" },
): readonly Notice[] {
  const used = new Set([FROM_FILES, ...(keepEsc ? [] : ["ESC_ORG", ...(esc === "off" ? [] : ["PULUMI_BACKEND_URL"])])]);
  return layers.flatMap(({ source, variables }) => {
    const isOfFile = source === "dotenv" || source === "contract";
    // Other sources only have what an outer sophia-run or a contract had from a file.
    if (!isOfFile && redirections.size === 0) return [];
    const found = new Map<string, { why: Withheld; file: string; names: string[] }>();
    for (const variable of variables) {
      const { name, value, origin } = variable;
      if (!isOfFile && redirections.get(name)?.has(origin) !== true) continue;
      if (value === "" || selected.has(name) || used.has(name)) continue;
      const reason = why(variable);
      if (reason !== "reserved" && reason !== "runs-code" && reason !== "redirects-key") continue;
      const file = "file" in origin ? origin.file : origin.alias === undefined ? OUTER_FILE : "the contract";
      const entry = found.get(reason) ?? { why: reason, file, names: [] };
      entry.names.push(name);
      found.set(reason, entry);
    }
    return Array.from(found.values(), (entry) => ({ kind: "withheld" as const, ...entry }));
  });
}

/** The variables with the mark for a sophia-run in the program, if a file sets any that says where secrets go. */
export function markFromFiles(selected: Resolution, addresses: readonly string[]): Resolution {
  const names = [...MARKED_VARIABLES, ...addresses].filter((name) => {
    const origin = selected.get(name)?.origin;
    return origin !== undefined && !isCallersWord(origin);
  });
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

import type { Start } from "../../resolve/start.ts";
import { nameFinder } from "../../core/suggest.ts";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";

/**
 * @param added further names that are known
 * @throws SophiaError (unknown-variable, 125) for names that neither the contract nor a source has
 */
export function refuseUnknown(names: readonly string[], start: Start, added: readonly string[] = []): void {
  const {
    files: { contract },
    values: { resolution },
  } = start;
  const known = new Set([
    ...contract.variables.keys(),
    ...contract.aliases.keys(),
    ...(contract.scope?.outside ?? []),
    ...resolution.keys(),
    ...skippedNames(start),
    ...added,
  ]);
  // On Windows, names are case-insensitive there.
  const isKnown = (name: string): boolean => known.has(name) || resolution.has(name) || contract.variables.has(name);
  const unknown = names.filter((name) => !isKnown(name));
  if (unknown.length === 0) return;
  const find = nameFinder(known);
  const meant = unknown.flatMap((name) => find(name) ?? []);
  throw new SophiaError({
    code: "unknown-variable",
    message: `${unknown.map(printable).join(", ")}: not declared by the contract, and set by no source`,
    hint:
      meant.length > 0
        ? `did you mean ${meant.map(printable).join(", ")}?`
        : "sophia-run explain lists the declared variables; with --all also those of the environment",
  });
}

/** Returns the names that ESC has and no program gets: lists, objects and unknown values. */
export function skippedNames({ verdict: { notices } }: Pick<Start, "verdict">): readonly string[] {
  return notices.flatMap((notice) => (notice.kind === "esc-skipped" ? notice.names : []));
}

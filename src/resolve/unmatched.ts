/** Reports globs that select nothing. Loaded only with `--include`. */
import { didYouMean } from "../core/suggest.ts";
import type { Notice } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { createMatcher } from "./name-globs.ts";
import type { Start } from "./start.ts";

/**
 * Returns a notice for each glob of `--include` that matches no variable. There are none if ESC could not be read, because ESC may
 * have the variable.
 */
export function unmatchedNotices({
  files,
  store: { esc },
  values,
}: Pick<Start, "files" | "store" | "values">): readonly Notice[] {
  const { include, folding } = values.selection;
  if (include.length === 0 || esc.kind === "unavailable" || esc.kind === "refused") return [];
  const names = [...values.resolution.keys(), ...files.contract.variables.keys()];
  return include
    .filter((glob) => !names.some(createMatcher([glob], folding)))
    .map((glob) => ({
      kind: "remark",
      text: `--include ${printable(glob)} matches no variable${didYouMean(glob, names)}`,
    }));
}

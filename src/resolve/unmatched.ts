import { didYouMean } from "../core/suggest.ts";
import type { Notice } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { matcher, type Selection } from "./select.ts";

/** Reports globs of `--include` that match no variable. @param names of all sources and of the contract */
export function unmatchedNotices(
  { include, folding }: Pick<Selection, "include" | "folding">,
  names: readonly string[],
): readonly Notice[] {
  return include
    .filter((glob) => !names.some(matcher([glob], folding)))
    .map((glob) => ({
      kind: "remark",
      text: `--include ${printable(glob)} matches no variable${didYouMean(glob, names)}`,
    }));
}

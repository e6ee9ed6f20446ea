import { didYouMean } from "../core/suggest.ts";
import type { Notice } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { matcher, type Selection } from "./select.ts";

/**
 * What `--include` names in vain: the program would lack what it was meant to get. (What `--exclude` names need not be
 * there: it keeps away what must never pass.)
 *
 * @param names of all sources and of the contract
 */
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

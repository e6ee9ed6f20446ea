/** The parts of a Markdown document that `docs` writes, between markers; pure. */
import { printable } from "../../core/text.ts";

/** The whole of a document, or the part with the contract in one that the user wrote. */
const PARTS = {
  document: {
    begin: (mark: string): string =>
      `<!-- secrets: begin. ${comment(mark)}; what stands outside of these lines stays. -->`,
    beginning: "<!-- secrets: begin. ",
    end: "<!-- secrets: end -->",
  },
  contract: {
    begin: (): string => "<!-- contract: begin. `sophia-run docs` writes this part. -->",
    beginning: "<!-- contract: begin. ",
    end: "<!-- contract: end -->",
  },
} as const;

export type PartName = keyof typeof PARTS;

/** Returns the part of a document: the whole of a new one, the contract's of one that was written by hand. */
export function partOf(document: string): PartName {
  return document.trim() === "" || place(document, "document") !== undefined ? "document" : "contract";
}

/**
 * Replaces what stands between the markers, or adds the part at the end. The rest stays as it is, its line ends too.
 *
 * @param mark see `markOf`
 */
export function withPart(document: string, part: PartName, mark: string, blocks: readonly string[]): string {
  const { begin, end } = PARTS[part];
  const lineEnd = document.includes("\r\n") ? "\r\n" : "\n";
  const text = [begin(mark), ...blocks, end].join("\n\n").replaceAll("\n", lineEnd);
  const found = place(document, part);
  if (found !== undefined) return document.slice(0, found.from) + text + document.slice(found.to);
  if (document.trim() === "") return part === "document" ? `# Secrets\n\n${text}\n` : `${text}${lineEnd}`;
  return `${document.replace(/\s*$/, "")}${lineEnd}${lineEnd}${text}${lineEnd}`;
}

/** Returns the extent of the part, its markers included. */
function place(document: string, part: PartName): { readonly from: number; readonly to: number } | undefined {
  const { beginning, end } = PARTS[part];
  const from = lineStart(document, beginning, 0);
  const to = from === -1 ? -1 : lineStart(document, end, from);
  return to === -1 ? undefined : { from, to: to + end.length };
}

/** Returns where a line begins with the marker. Within a line it is part of a text, such as a description. */
function lineStart(document: string, marker: string, from: number): number {
  let at = document.indexOf(marker, from);
  while (at > 0 && document[at - 1] !== "\n") at = document.indexOf(marker, at + 1);
  return at;
}

/** A comment of HTML must not contain two dashes. */
function comment(text: string): string {
  return printable(text).replaceAll("--", "- -");
}

/** The marks of the files that `docs` writes: the contract that they are from, and the parts of Markdown; pure. */
import { printable } from "../../core/text.ts";

/** Every file of `docs` has it; users leave it out. */
const OURS = "`sophia-run docs` writes this file";

/** The contract that a file is written from: the built-in one, or a file by its path from the folder of the document. */
export type DocumentSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

export function markOf(source: DocumentSource): string {
  return `${OURS} from ${source.kind === "built-in" ? "the built-in contract" : printable(source.path)}`;
}

export function isOurs(text: string): boolean {
  return text.includes(OURS);
}

/** Returns the contract that a file of ours names; undefined for other files, and if it names none. */
export function sourceOfDocument(text: string): DocumentSource | undefined {
  const at = text.indexOf(`${OURS} from `);
  if (at === -1) return undefined;
  const named = /^(.*?)(?:[;.](?: |$)| -->)/m.exec(text.slice(at + OURS.length + " from ".length))?.[1];
  if (named === undefined || named === "the contract") return undefined;
  return named === "the built-in contract" ? { kind: "built-in" } : { kind: "file", path: named };
}

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

type PartName = keyof typeof PARTS;

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

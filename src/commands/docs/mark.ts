/** Marks in the files that `docs` writes: the contract of the file, and the part of a Markdown document. */
import { printable } from "../../core/text.ts";

/** The text by which `docs` recognizes its files. */
const OURS = "`sophia-run docs` writes this file";

/** The contract of a file: the built-in one, or a path relative to the folder of the document. */
export type DocumentSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

/** Returns the words by which a file is recognized, with its contract. */
export function markOf(source: DocumentSource): string {
  return `${OURS} from ${source.kind === "built-in" ? "the built-in contract" : printable(source.path)}`;
}

/** Returns true for a file that `docs` has written. */
export function isOurs(text: string): boolean {
  return text.includes(OURS);
}

/** Returns the contract that the mark of a file names; undefined if there is none. */
export function sourceOfDocument(text: string): DocumentSource | undefined {
  const at = text.indexOf(`${OURS} from `);
  if (at === -1) return undefined;
  const named = /^(.*?)(?:[;.](?: |$)| -->)/m.exec(text.slice(at + OURS.length + " from ".length))?.[1];
  if (named === undefined || named === "the contract") return undefined;
  return named === "the built-in contract" ? { kind: "built-in" } : { kind: "file", path: named };
}

/** A whole document, or the part about the contract in a document of the user: the name in its markers. */
const PARTS = { document: "secrets", contract: "contract" } as const;
type PartName = keyof typeof PARTS;

/** Returns the part that `docs` writes: all, if the document is empty or has the markers of all, else the tables. */
export function partOf(document: string): PartName {
  return document.trim() === "" || extentOf(document, "document") !== undefined ? "document" : "contract";
}

/** Replaces the text between the markers, or appends the part. The rest is kept, with its line ends. @param mark see `markOf` */
export function withPart(document: string, part: PartName, mark: string, blocks: readonly string[]): string {
  const note =
    part === "document" ? `${comment(mark)}; text outside these lines is kept.` : "`sophia-run docs` writes this part.";
  const lineEnd = document.includes("\r\n") ? "\r\n" : "\n";
  const text = [`${beginOf(part)}${note} -->`, ...blocks, endOf(part)].join("\n\n").replaceAll("\n", lineEnd);
  const found = extentOf(document, part);
  if (found !== undefined) return document.slice(0, found.from) + text + document.slice(found.to);
  if (document.trim() === "") return part === "document" ? `# Secrets\n\n${text}\n` : `${text}${lineEnd}`;
  return `${document.trimEnd()}${lineEnd}${lineEnd}${text}${lineEnd}`;
}

function extentOf(document: string, part: PartName): { readonly from: number; readonly to: number } | undefined {
  const from = lineStart(document, beginOf(part), 0);
  const to = from === -1 ? -1 : lineStart(document, endOf(part), from);
  return to === -1 ? undefined : { from, to: to + endOf(part).length };
}

function beginOf(part: PartName): string {
  return `<!-- ${PARTS[part]}: begin. `;
}

function endOf(part: PartName): string {
  return `<!-- ${PARTS[part]}: end -->`;
}

/** Returns the index of a line that begins with the marker. Within a line it belongs to a description. */
function lineStart(document: string, marker: string, from: number): number {
  let at = document.indexOf(marker, from);
  while (at > 0 && document[at - 1] !== "\n") at = document.indexOf(marker, at + 1);
  return at;
}

/** Separates two dashes, which an HTML comment must not contain. */
function comment(text: string): string {
  return printable(text).replaceAll("--", "- -");
}

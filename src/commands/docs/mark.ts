/**
 * The marks in the files that `sophia-run docs` writes. One line names the contract of the file, so that later runs
 * recognize the file and `init` finds the contract. In a Markdown document two markers enclose the part that `docs` writes:
 *
 *     <!-- contract: begin. `sophia-run docs` writes this part. -->
 *     <!-- contract: end -->
 */
import { printable } from "../../core/text.ts";

/** The text by which `docs` recognizes its files. */
const MARK = "`sophia-run docs` writes this file";

/** The contract of a file: the built-in one, or a path relative to the folder of the document. */
export type DocumentSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

/** Returns the words by which a file is recognized, with its contract. */
export function createMark(source: DocumentSource): string {
  return `${MARK} from ${source.kind === "built-in" ? "the built-in contract" : printable(source.path)}`;
}

/** Returns true for a file that `docs` has written. */
export function isWrittenByDocs(text: string): boolean {
  return text.includes(MARK);
}

/** Returns the contract that the mark of a file names; undefined if there is none. */
export function sourceOfDocument(text: string): DocumentSource | undefined {
  const prefix = `${MARK} from `;
  const markOffset = text.indexOf(prefix);
  if (markOffset === -1) return undefined;
  // The name ends at a semicolon, at a full stop, or at the end of an HTML comment.
  const name = /^(.*?)(?:[;.](?: |$)| -->)/m.exec(text.slice(markOffset + prefix.length))?.[1];
  if (name === undefined || name === "the contract") return undefined;
  return name === "the built-in contract" ? { kind: "built-in" } : { kind: "file", path: name };
}

/** The names in the markers: of a whole document, and of the part about the contract in a document that the user wrote. */
const PARTS = { document: "secrets", contract: "contract" } as const;
type PartName = keyof typeof PARTS;

/**
 * Returns `document` if `docs` writes the whole text: the document is empty or has these markers. Otherwise returns
 * `contract`.
 */
export function choosePart(document: string): PartName {
  return document.trim() === "" || findPart(document, "document") !== undefined ? "document" : "contract";
}

/**
 * Returns the document with new text between the markers, which are added at its end if they are missing. The rest of the
 * document stays as it is.
 *
 * @param mark the result of {@link createMark}
 */
export function replacePart(document: string, part: PartName, mark: string, blocks: readonly string[]): string {
  const note =
    part === "document"
      ? `${commentText(mark)}; text outside these lines is kept.`
      : "`sophia-run docs` writes this part.";
  const lineBreak = document.includes("\r\n") ? "\r\n" : "\n";
  const partText = [`${beginMarker(part)}${note} -->`, ...blocks, endMarker(part)]
    .join("\n\n")
    .replaceAll("\n", lineBreak);
  const extent = findPart(document, part);
  if (extent !== undefined) return document.slice(0, extent.start) + partText + document.slice(extent.end);
  if (document.trim() === "") return part === "document" ? `# Secrets\n\n${partText}\n` : `${partText}${lineBreak}`;
  return `${document.trimEnd()}${lineBreak}${lineBreak}${partText}${lineBreak}`;
}

/**
 * Returns the offsets of a part with its markers; undefined if the document does not have both markers. The end is
 * exclusive.
 */
function findPart(document: string, part: PartName): { readonly start: number; readonly end: number } | undefined {
  const start = findMarkerLine(document, beginMarker(part), 0);
  const endMarkerStart = start === -1 ? -1 : findMarkerLine(document, endMarker(part), start);
  return endMarkerStart === -1 ? undefined : { start, end: endMarkerStart + endMarker(part).length };
}

function beginMarker(part: PartName): string {
  return `<!-- ${PARTS[part]}: begin. `;
}

function endMarker(part: PartName): string {
  return `<!-- ${PARTS[part]}: end -->`;
}

/**
 * Returns the offset of a line that begins with the marker, or -1. A marker within a line is ignored, since it is part of a
 * text.
 */
function findMarkerLine(document: string, marker: string, startOffset: number): number {
  let offset = document.indexOf(marker, startOffset);
  while (offset > 0 && document[offset - 1] !== "\n") offset = document.indexOf(marker, offset + 1);
  return offset;
}

/** Returns the text for an HTML comment, which must not contain two dashes. */
function commentText(text: string): string {
  return printable(text).replaceAll("--", "- -");
}

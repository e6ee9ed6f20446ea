/** The mark of the files that `docs` writes: the contract that they are from; pure. */
import { printable } from "../../core/text.ts";

/** Every file of `docs` has it; users leave it out. */
const OURS = "`sophia-run docs` writes this file";

/** The contract that a file is written from: the built-in one, or a file by its path from the folder of the document. */
export type DocumentSource = { readonly kind: "built-in" } | { readonly kind: "file"; readonly path: string };

/** The sentence that a file of ours begins with. */
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

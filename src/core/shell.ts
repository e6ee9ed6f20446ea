/** Quotes words for commands that messages show and that users paste into a shell. */
import { printable } from "./text.ts";

/** Quotes a text for a POSIX shell: in single quotes, which only a single quote can end (XCU 2.2.2). */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Returns a word for a command that a message shows. It is printable, and quoted if a shell would otherwise change it. */
export function shellWord(word: string): string {
  const shown = printable(word);
  return /^[\w@%+=:,./-]+$/.test(shown) ? shown : shellQuoted(shown);
}

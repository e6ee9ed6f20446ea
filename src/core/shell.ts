/** A text in single quotes, in which every character is itself (POSIX, XCU 2.2.2); a quote is written `'\''`. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A word of a command line to copy: quoted only where a shell would read it in another way. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuoted(word);
}

import { printable } from "./text.ts";

/** An assignment, an address, a password in front of a host, or options: from there on a word is not shown. */
const END = /^(.*?(?:=|:\/\/|:(?=[^/@]*@)|\s(?=-))).+/s;

/** A command as messages and logs may show it: an assignment or an address in its place may hold a password. */
export function shownCommand(command: string): string {
  return command === "" ? "''" : printable(command.replace(END, "$1…"));
}

import { printable } from "./text.ts";

/**
 * What ends that part of a word that may be shown: an assignment, an address, a password in front of a host, and options,
 * where somebody has quoted a whole command line.
 */
const END = /^(.*?(?:=|:\/\/|:(?=[^/@]*@)|\s(?=-))).+/s;

/** A command as messages and logs may show it: in the place of one, an assignment or an address may hold a password. */
export function shownCommand(command: string): string {
  return command === "" ? "''" : printable(command.replace(END, "$1…"));
}

import { printable } from "./text.ts";

/** The text up to `=`, `://`, the colon of `user:password@`, or the space before an option. The rest may be secret. */
const END = /^(.*?(?:=|:\/\/|:(?=[^/@]*@)|\s(?=-))).+/s;

/** Shortens a command for messages and logs, since users mistype assignments and URLs with passwords as commands. */
export function shownCommand(command: string): string {
  return command === "" ? "''" : printable(command.replace(END, "$1…"));
}

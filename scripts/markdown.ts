/** Writes Markdown of documents that scripts generate: paragraphs, lists and tables. */
import { readFileSync, writeFileSync } from "node:fs";

export { createTable as table } from "../src/commands/docs/secrets-document.ts";

const COLUMNS = 120;

/** A word that would begin an item of a list if it began a line. */
const LIST_MARK = /^(?:\d+[.)]|[-+*])$/;

/** Breaks a paragraph into lines of at most 120 columns, as the formatter does; code in backticks and links stay whole. */
export function wrap(text: string, indent = ""): string {
  const words: string[] = [];
  for (const word of text.match(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|\S)+/g) ?? []) {
    if (LIST_MARK.test(word) && words.length > 0) words.push(`${words.pop()} ${word}`);
    else words.push(word);
  }
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && longer.length > COLUMNS) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line].join("\n");
}

/** Returns a list with an item for each text. */
export function list(texts: readonly string[]): string {
  return texts.map((text) => wrap(`- ${text}`, "  ")).join("\n");
}

/** Returns a page that a command makes as a whole. */
export function page(title: string, command: string, content: string): string {
  return `# ${title}\n\n${part(command, content)}\n`;
}

/** Writes a command's part into a page, in place of the former one; with `--dry` to the standard output instead. */
export function publish(path: string, command: string, content: string): void {
  if (process.argv.includes("--dry")) {
    console.log(content);
    return;
  }
  const text = readFileSync(path, "utf8");
  const start = text.indexOf(begin(command));
  const end = text.indexOf(END, start);
  if (start === -1 || end === -1) throw new Error(`${path} has no part of \`${command}\``);
  writeFileSync(path, text.slice(0, start) + part(command, content) + text.slice(end + END.length));
}

const END = "<!-- end -->";

function begin(command: string): string {
  return `<!-- made by ${command}; do not edit -->`;
}

function part(command: string, content: string): string {
  return `${begin(command)}\n\n${content.trim()}\n\n${END}`;
}

import { readFileSync, writeFileSync } from "node:fs";

/** Writes a text into a document, between the markers `NAME: begin` and `NAME: end`; with `--dry` to the terminal instead. */
export function publish(path: string, name: string, text: string): void {
  if (process.argv.includes("--dry")) {
    console.log(text);
    return;
  }
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`] as const;
  const document = readFileSync(path, "utf8");
  const before = document.slice(0, document.indexOf(begin) + begin.length);
  const after = document.slice(document.indexOf(end));
  writeFileSync(path, `${before}\n\n${text}\n\n${after}`);
}

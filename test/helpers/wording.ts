/** Compares messages with snapshots. */
import { tmpdir } from "node:os";
import { expect } from "vitest";
import { unwrapLines } from "./sophia.ts";

/**
 * Compares a text for people with the snapshot of the test file. Tests themselves assert codes, fields and names, so that a wording
 * changes in one place (`npx vitest run FILE -u`).
 *
 * The lines of a message are joined, because the length of paths decides where they break. Temporary folders, ports and process IDs
 * are replaced by placeholders.
 *
 * @param replaced further texts that differ from run to run, each with its placeholder
 */
export function expectWording(text: string, replaced: Readonly<Record<string, string>> = {}): void {
  let wording = unwrapLines(text);
  for (const [varyingText, placeholder] of Object.entries(replaced))
    wording = wording.replaceAll(varyingText, placeholder);
  wording = wording
    .replaceAll(new RegExp(`(/private)?${tmpdir()}/[\\w.-]*-[\\w-]{6,}`, "g"), "<folder>")
    .replaceAll(/\bsophia-run-test-[\w-]{6}\b/g, "<folder>")
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d+/g, "$1:<port>")
    .replaceAll(/\b(pid|process) \d+/gi, "$1 <pid>");
  expect(wording).toMatchSnapshot();
}

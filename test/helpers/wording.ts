import { tmpdir } from "node:os";
import { expect } from "vitest";
import { unwrapped } from "./sophia.ts";

/**
 * Compares text for people with the snapshot of the test's file, so that tests assert codes, fields and names, and a wording
 * changes in one place (`npx vitest run FILE -u`). The lines of a message are joined: where they break depends on the length
 * of paths. Temporary folders, ports and process IDs are replaced by their names.
 *
 * @param replaced further texts that differ between two runs, and what stands for each
 */
export function expectWording(text: string, replaced: Readonly<Record<string, string>> = {}): void {
  let wording = unwrapped(text);
  for (const [varying, name] of Object.entries(replaced)) wording = wording.replaceAll(varying, name);
  wording = wording
    .replaceAll(new RegExp(`(/private)?${tmpdir()}/[\\w.-]*-[\\w-]{6,}`, "g"), "<folder>")
    .replaceAll(/\bsophia-run-test-[\w-]{6}\b/g, "<folder>")
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d+/g, "$1:<port>")
    .replaceAll(/\b(pid|process) \d+/gi, "$1 <pid>");
  expect(wording).toMatchSnapshot();
}

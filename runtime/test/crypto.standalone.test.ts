/** node:crypto in the executable's runtime: random calls must have the same results as in Node.js, or throw the same errors. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import * as fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { decrypt, encrypt } from "../../src/sources/cached/seal.ts";
import { SEED } from "../../test/helpers/seed.ts";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const folder = mkdtempSync(join(tmpdir(), "sophia-run-crypto-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Has a program run the calls by crypto.cjs, and returns a line for each result. */
function runCalls(program: string, calls: readonly unknown[]): string[] {
  const file = join(folder, "calls.json");
  writeFileSync(file, JSON.stringify(calls));
  const script = join(import.meta.dirname, "crypto.cjs");
  const output = execFileSync(program, [script, file], { encoding: "utf8", timeout: 60_000, maxBuffer: 1 << 27 });
  return output.trimEnd().split("\n");
}

/** Expects that Node.js and the runtime print the same for each call. */
function expectSame(calls: readonly unknown[]): void {
  const [expected, found] = [runCalls(process.execPath, calls), runCalls(shell, calls)];
  expect(found).toHaveLength(calls.length + 2);
  const different = found.flatMap((line, index) =>
    line === expected[index]
      ? []
      : [`${JSON.stringify(calls[index])}\n  Node.js: ${expected[index]}\n  runtime: ${line}`],
  );
  expect(different.slice(0, 20)).toEqual([]);
}

const digestName = fc.constantFrom("sha256", "SHA256", "sha512", "sha384", "sha224", "sha1", "md5", "nonsense");
const encoding = fc.constantFrom("hex", "base64", "base64url", "latin1", "buffer");
const text = fc.string({ unit: "binary", maxLength: 300 });
const hexOf = (minLength: number, maxLength = minLength) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString("hex"));
const key = fc.oneof({ weight: 8, arbitrary: hexOf(32) }, hexOf(0, 40));
const vector = fc.oneof({ weight: 8, arbitrary: hexOf(12) }, hexOf(0, 20));
const textPart = fc.oneof(
  fc.tuple(text, fc.constant("utf8")),
  fc.tuple(hexOf(0, 200), fc.constant("hex")),
  fc.tuple(fc.base64String({ maxLength: 200 }), fc.constant("base64")),
);

it("the functions of node:crypto return the same in the runtime as in Node.js", { timeout: 600_000 }, () => {
  const integer = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.constantFrom(1.5, 2 ** 47, -(2 ** 53)));
  const call = fc.oneof(
    fc.tuple(fc.constant("hash"), digestName, fc.array(textPart, { maxLength: 5 }), encoding),
    fc.tuple(fc.constant("hmac"), digestName, text, text, encoding),
    fc.tuple(fc.constant("hmacOfBytes"), digestName, hexOf(0, 200), hexOf(0, 200)),
    fc.tuple(
      fc.constant("hkdf"),
      digestName,
      hexOf(0, 80),
      text,
      hexOf(0, 80),
      fc.constantFrom(0, 1, 32, 100, 5000, 20_000),
    ),
    fc.tuple(fc.constant("equal"), hexOf(0, 2), hexOf(0, 2)),
    fc.tuple(
      fc.constant("seal"),
      fc.constantFrom("aes-256-gcm", "AES-256-GCM", "nonsense"),
      key,
      vector,
      hexOf(0, 60),
      text,
    ),
    fc.tuple(fc.constant("open"), key, vector, hexOf(0, 60), hexOf(0, 60), fc.oneof(hexOf(16), hexOf(0, 20))),
    fc.tuple(fc.constant("random"), fc.constantFrom(-1, 0, 1, 1000, "x", 2 ** 31)),
    fc.tuple(fc.constant("integer"), integer, fc.option(integer)),
    fc.tuple(fc.constant("twice"), fc.boolean(), fc.boolean()),
  );
  expectSame(fc.sample(call, { numRuns: 3000, seed: SEED }));
});

it("a cipher refuses the same orders of calls as in Node.js", { timeout: 600_000 }, () => {
  const step = fc.constantFrom("update", "final", "tag");
  expectSame(fc.sample(fc.tuple(fc.constant("order"), fc.array(step, { maxLength: 4 })), { numRuns: 200, seed: SEED }));
});

it("the runtime accepts the same forms of certificates as Node.js", { timeout: 600_000 }, () => {
  const [first = "", second = ""] = rootCertificates;
  const damaged = first.replace(/[A-Za-z]{20}/, "!".repeat(20));
  const wrapped = first.replaceAll("\n", "\r\n");
  const forms = [
    first,
    `${damaged}\n${second}`,
    `# comment\n${first}\n${damaged}`,
    wrapped,
    "",
    "nothing",
    first.slice(0, 500),
  ];
  expectSame(forms.map((form) => ["certificate", form]));
});

it("the runtime decrypts what Node.js has encrypted", () => {
  const sealed = encrypt("välue", "token", "bound").toString("hex");
  const script = join(folder, "seal.cjs");
  const runScript = (program: string, source: string): string => {
    writeFileSync(script, source);
    return execFileSync(program, [script], { encoding: "utf8", timeout: 60_000 });
  };
  const parts = `
    const { createDecipheriv, hkdfSync } = require("node:crypto");
    const bytes = Buffer.from("${sealed}", "hex");
    const mark = Buffer.from("sophia-run 1\\n");
    const head = bytes.subarray(0, mark.length + 44);
    const key = new Uint8Array(hkdfSync("sha256", "token", head.subarray(mark.length, mark.length + 32), mark, 32));
    const cipher = createDecipheriv("aes-256-gcm", key, head.subarray(mark.length + 32), { authTagLength: 16 });
    cipher.setAAD(Buffer.concat([head, Buffer.from("bound")])).setAuthTag(bytes.subarray(-16));
    const text = cipher.update(bytes.subarray(head.length, -16));
    cipher.final();
    require("node:fs").writeSync(1, text.toString("utf8"));`;
  expect(runScript(shell, parts)).toBe("välue");
  expect(decrypt(Buffer.from(sealed, "hex"), "token", "bound")).toBe("välue");
});

import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspectImage } from "../../../src/launch/program/image.ts";
import { folder } from "../../helpers/sophia.ts";

function makeExecutable(content: string | Uint8Array): string {
  const path = join(folder(), "program");
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  return path;
}

/** Returns the beginning of this Node.js's executable with one byte changed. */
function changeNodeImage(offset: number, byte: number): Buffer {
  const copy = Buffer.from(readFileSync(process.execPath).subarray(0, 8192));
  copy[offset] = byte;
  return copy;
}

test.each([
  ["#!/bin/sh\n", { kind: "native" }],
  ["#! /bin/sh -e \nx", { kind: "native" }],
  ["#!/bin/sh -a b\n", { kind: "native" }],
  ["#!/bin/sh\r\n", { kind: "dangling", missing: "/bin/sh\r" }],
  ["#!/no/such\n", { kind: "dangling", missing: "/no/such" }],
  ["#!/etc\n", { kind: "dangling", missing: "/etc" }],
  ["#!\n", { kind: "unknown" }],
  ["#!/bin/sh without an end of line", { kind: "unknown" }],
  [`#!/bin/sh ${"x".repeat(300)}\n`, { kind: "unknown" }],
  ["echo\n", { kind: "unknown" }],
  ["", { kind: "unknown" }],
  ["\u007FELF", { kind: "foreign" }],
] as const)("a file with the content %j is recognized as %j", (content, expected) => {
  expect(inspectImage(makeExecutable(content))).toEqual(expected);
});

test("the executable of this Node.js is recognized as a program for this machine", () => {
  expect(inspectImage(process.execPath)).toEqual({ kind: "native" });
});

test.each([
  ["another class", 4, 1, { kind: "possible" }],
  ["another byte order", 5, 2, { kind: "foreign", machine: expect.stringMatching(/^machine \d+$/) as unknown }],
  ["another machine", 18, 0xfe, { kind: "foreign", machine: "machine 254" }],
  ["the type of an object file", 16, 1, { kind: "foreign" }],
  ["another size of program headers", 54, 1, { kind: "foreign" }],
  ["no program headers", 56, 0, { kind: "foreign" }],
  ["program headers beyond the head", 33, 0xff, { kind: "possible" }],
])("an ELF file with %s is not recognized as a program for this machine", (_, offset, byte, expected) => {
  expect(inspectImage(makeExecutable(changeNodeImage(offset, byte)))).toEqual(expected);
});

test("an ELF file that ends before its program headers is recognized as foreign", () => {
  expect(inspectImage(makeExecutable(readFileSync(process.execPath).subarray(0, 100)))).toEqual({ kind: "foreign" });
});

test("an ELF file whose loader is missing is recognized as dangling, with the loader's path", () => {
  const node = changeNodeImage(0, 0x7f);
  const loader = node.indexOf("/lib");
  node.write("/l1b", loader);
  expect(inspectImage(makeExecutable(node))).toEqual({
    kind: "dangling",
    missing: node.toString("latin1", loader, node.indexOf(0, loader)),
  });
});

test("a script whose interpreter is a script can be executed, and an endless chain of scripts is only possible", () => {
  const first = makeExecutable("#!/bin/sh\n");
  expect(inspectImage(makeExecutable(`#!${first}\n`))).toEqual({ kind: "native" });
  const loop = makeExecutable("");
  writeFileSync(loop, `#!${loop}\n`);
  expect(inspectImage(loop)).toEqual({ kind: "possible" });
});

test("a file that cannot be read is of unknown kind", () => {
  expect(inspectImage("/no/such/file")).toEqual({ kind: "unknown" });
  expect(inspectImage("/etc")).toEqual({ kind: "unknown" });
});

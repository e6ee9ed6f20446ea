import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspectImage, type Image } from "../../../src/launch/program/image.ts";
import { skipBecause } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";

const MACHINES = [
  [3, "x86"],
  [8, "mips"],
  [20, "ppc"],
  [21, "ppc64"],
  [22, "s390x"],
  [40, "arm"],
  [62, "x64"],
  [183, "arm64"],
  [243, "riscv64"],
  [258, "loong64"],
  [1, "machine 1"],
] as const;
const THIS_MACHINE = MACHINES.find(([, name]) => name === process.arch)?.[0] ?? 0;
/** The machines whose programs the kernel may execute as well. */
const COMPATIBLE = { x64: "x86", arm64: "arm" };

skipBecause(Object.keys(COMPATIBLE).includes(process.arch) ? undefined : "needs x64 or arm64");

interface ElfOptions {
  readonly machine?: number;
  readonly type?: number;
  readonly isBigEndian?: boolean;
  readonly is32Bit?: boolean;
  /** The offset of the program headers. */
  readonly tableOffset?: number;
  /** The types of the program headers. */
  readonly headers?: readonly number[];
  readonly loader?: string;
  /** The length that the program header names, with the final NUL. */
  readonly loaderLength?: number;
  readonly loaderOffset?: number;
  readonly fileLength?: number;
}

/** Returns an ELF file by the layout of elf(5). */
function elfFile({
  machine = THIS_MACHINE,
  type = 2,
  isBigEndian = false,
  is32Bit = false,
  tableOffset = 64,
  headers = [1, 3],
  loader = "/bin/sh",
  loaderLength = loader.length + 1,
  loaderOffset = 1024,
  fileLength = 4096,
}: ElfOptions): Buffer {
  const file = Buffer.alloc(8192);
  file.write("\u007FELF", "latin1");
  file.set([is32Bit ? 1 : 2, isBigEndian ? 2 : 1, 1], 4);
  for (const [offset, value] of [
    [16, type],
    [18, machine],
  ] as const) {
    if (isBigEndian) file.writeUInt16BE(value, offset);
    else file.writeUInt16LE(value, offset);
  }
  file.writeBigUInt64LE(BigInt(tableOffset), 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(headers.length, 56);
  for (const [index, headerType] of headers.entries()) {
    const header = tableOffset + index * 56;
    file.writeUInt32LE(headerType, header);
    file.writeBigUInt64LE(BigInt(loaderOffset), header + 8);
    file.writeBigUInt64LE(BigInt(loaderLength), header + 32);
  }
  file.write(`${loader}\0`, loaderOffset, "utf8");
  return file.subarray(0, fileLength);
}

function inspect(content: string | Uint8Array): Image {
  const file = join(folder(), "file");
  writeFileSync(file, content);
  chmodSync(file, 0o755);
  return inspectImage(file);
}

test.each(MACHINES)(
  "a program for the machine %i is for this processor, for one like it, or for %s",
  (machine, name) => {
    const isThis = name === process.arch;
    const isLike = Reflect.get(COMPATIBLE, process.arch) === name;
    const foreign = { kind: "foreign", machine: name };
    expect(inspect(elfFile({ machine }))).toEqual(
      isThis ? { kind: "native" } : isLike ? { kind: "possible" } : foreign,
    );
    const bigEndian = inspect(elfFile({ machine, isBigEndian: true }));
    expect(bigEndian).toEqual(isThis || isLike ? { kind: "possible" } : foreign);
  },
);

describe("a program for this processor is recognized by its header and its dynamic loader:", () => {
  test.each<readonly [string, ElfOptions, Image]>([
    ["of either type", { type: 3 }, { kind: "native" }],
    ["of another type", { type: 4 }, { kind: "foreign" }],
    ["of 32 bits", { is32Bit: true }, { kind: "possible" }],
    ["without a loader", { headers: [1, 2, 4] }, { kind: "native" }],
    [
      "with its loader in the first header",
      { headers: [3], loader: "/no/such" },
      { kind: "dangling", missing: "/no/such" },
    ],
    ["with its loader in the last header", { headers: [1, 2, 3], loader: "/no" }, { kind: "dangling", missing: "/no" }],
    ["with a folder as its loader", { loader: "/etc" }, { kind: "dangling", missing: "/etc" }],
    ["with a file that may not be executed", { loader: "/etc/passwd" }, { kind: "dangling", missing: "/etc/passwd" }],
    ["with a loader of one character", { loader: "x" }, { kind: "dangling", missing: "x" }],
    ["with a loader of no character", { loader: "" }, { kind: "possible" }],
    [
      "with a loader that ends with the part that is read",
      { loaderOffset: 4088, fileLength: 8192 },
      { kind: "native" },
    ],
    ["with a loader that ends after that", { loaderOffset: 4089, fileLength: 8192 }, { kind: "possible" }],
    ["with headers that end with the part that is read", { tableOffset: 4096 - 56, headers: [1] }, { kind: "native" }],
    [
      "with headers that end after that",
      { tableOffset: 4097 - 56, headers: [1], fileLength: 8192 },
      { kind: "possible" },
    ],
    ["with headers that end with the file", { headers: [1], fileLength: 64 + 56 }, { kind: "native" }],
    ["with headers that end after the file", { headers: [1], fileLength: 63 + 56 }, { kind: "foreign" }],
    ["with a header and no more", { headers: [], fileLength: 64 }, { kind: "foreign" }],
  ])("%s", (_, options, expected) => {
    expect(inspect(elfFile(options))).toEqual(expected);
  });
});

test.each<readonly [string, Image]>([
  ["#!\t /bin/sh\n", { kind: "native" }],
  ["#!/bin/sh\t-e\n", { kind: "native" }],
  ["#! \n/bin/sh\n", { kind: "unknown" }],
  ["#!/bin/sh\0\n", { kind: "unknown" }],
  ["x#!/bin/sh\n", { kind: "unknown" }],
  ["#/bin/sh\n", { kind: "unknown" }],
  [`#!/bin/sh ${"x".repeat(256 - 11)}\n`, { kind: "native" }],
  [`#!/bin/sh ${"x".repeat(257 - 11)}\n`, { kind: "unknown" }],
  ["\u007FEL", { kind: "unknown" }],
])("a file that begins with %j is recognized as %j", (content, expected) => {
  expect(inspect(content)).toEqual(expected);
});

test("a chain of four scripts is certain to be executed, and a longer chain is only possible", () => {
  let interpreter = "/bin/sh";
  const kinds = Array.from({ length: 6 }, () => {
    const file = join(folder(), "file");
    writeFileSync(file, `#!${interpreter}\n`);
    chmodSync(file, 0o755);
    interpreter = file;
    return inspectImage(file).kind;
  });
  expect(kinds).toEqual(["native", "native", "native", "native", "possible", "possible"]);
});

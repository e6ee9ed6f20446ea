import { expect, test } from "vitest";
import { classifyMachO } from "../../../src/launch/exec/mach-o.ts";

const X64 = 0x01000007;
const ARM64 = 0x0100000c;

function thin(processor: number): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(0xfeedfacf);
  head.writeUInt32LE(processor, 4);
  return head;
}

function fat(magic: number, entry: number, processors: readonly number[]): Buffer {
  const head = Buffer.alloc(4096);
  head.writeUInt32BE(magic);
  head.writeUInt32BE(processors.length, 4);
  processors.forEach((processor, index) => head.writeUInt32BE(processor, 8 + index * entry));
  return head;
}

test.each([
  ["thin, the same processor", thin(ARM64), "arm64", { kind: "native" }],
  ["thin, by Rosetta", thin(X64), "arm64", { kind: "possible" }],
  ["thin, another processor", thin(ARM64), "x64", { kind: "foreign", machine: "arm64" }],
  ["fat, with this one", fat(0xcafebabe, 20, [X64, ARM64]), "x64", { kind: "native" }],
  ["fat with wide offsets", fat(0xcafebabf, 32, [7, ARM64]), "arm64", { kind: "native" }],
  ["fat, without this one", fat(0xcafebabe, 20, [7, ARM64]), "x64", { kind: "foreign", machine: "x86, arm64" }],
  ["a class of Java", Buffer.from("cafebabe0000003d", "hex"), "x64", undefined],
  ["a fat header that is cut", fat(0xcafebabe, 20, [X64]).subarray(0, 20), "x64", undefined],
  ["a script", Buffer.from("#!/bin/sh\n"), "arm64", undefined],
  ["nothing", Buffer.alloc(0), "arm64", undefined],
])("%s", (_, head, arch, expected) => {
  expect(classifyMachO(head, arch)).toEqual(expected);
});

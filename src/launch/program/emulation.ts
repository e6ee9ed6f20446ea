/**
 * Refuses a program for another processor, unless an emulator is installed for it. Otherwise execvp(3) would let the shell run the file
 * as a script.
 */
import { readFileSync, readdirSync } from "node:fs";
import { attempt } from "../../system/errors.ts";
import type { Program } from "../types.ts";
import { inspectImage, readHead } from "./image.ts";

/** The folder in which Linux lists the formats of files that it executes by an interpreter, such as an emulator (binfmt_misc). */
const FORMATS = "/proc/sys/fs/binfmt_misc";

/** Refuses a foreign program. @throws SophiaError (126) for an ELF file of another processor without an emulator */
export async function refuseForeignProgram(command: string, program: Program): Promise<void> {
  if (process.platform !== "linux" || inspectImage(program.file).kind !== "foreign") return;
  if (isEmulated(program.file)) return;
  throw (await import("./start-error.ts")).executionError(command, program, "ENOEXEC");
}

/** Returns true if an emulator is installed for a file; false also if that cannot be read. */
function isEmulated(file: string): boolean {
  const isEmulatedOrError = attempt(() => {
    const head = readHead(file);
    return readdirSync(FORMATS).some((name) => matches(readFileSync(`${FORMATS}/${name}`, "latin1"), head));
  });
  return isEmulatedOrError === true;
}

/**
 * Returns true if a file that begins with these bytes has a format. A format is a text such as:
 *
 *     enabled
 *     interpreter /usr/bin/qemu-aarch64
 *     flags: OCF
 *     offset 0
 *     magic 7f454c460201010000000000000000000200b700
 *     mask ffffffffffffff00fffffffffffffffffeffffff
 *
 * The mask has the bits in which the file must equal the magic bytes. Without a mask these are all bits.
 */
export function matches(format: string, head: Uint8Array): boolean {
  const field = (name: string): string | undefined => new RegExp(`^${name} ([0-9a-f]+)$`, "m").exec(format)?.[1];
  const magic = Buffer.from(field("magic") ?? "", "hex");
  const mask = Buffer.from(field("mask") ?? "", "hex");
  const offset = Number(field("offset") ?? 0);
  if (!format.startsWith("enabled\n") || magic.length === 0) return false;
  return magic.every((byte, index) => {
    const bits = mask[index] ?? 0xff;
    return ((head[offset + index] ?? 0) & bits) === (byte & bits);
  });
}

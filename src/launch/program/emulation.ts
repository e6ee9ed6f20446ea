import { readFileSync, readdirSync } from "node:fs";
import { attempt } from "../../system/errors.ts";
import type { Program } from "../types.ts";
import { inspectImage, readHead } from "./image.ts";

/** Linux's folder of file formats with an interpreter (binfmt_misc). */
const FORMATS = "/proc/sys/fs/binfmt_misc";

/** Throws SophiaError (126) for an ELF file of another processor without an emulator: execvp(3) would have the shell run it. */
export async function refuseForeignProgram(command: string, program: Program): Promise<void> {
  if (process.platform !== "linux" || inspectImage(program.file).kind !== "foreign") return;
  if (isEmulated(program.file)) return;
  throw (await import("./start-error.ts")).executionError(command, program, "ENOEXEC");
}

function isEmulated(file: string): boolean {
  const matchesAny = (head: Buffer): boolean =>
    readdirSync(FORMATS).some((name) => matches(readFileSync(`${FORMATS}/${name}`, "latin1"), head));
  return attempt(() => matchesAny(readHead(file))) === true;
}

/** Matches a file's head with a format: `enabled`, then lines such as `interpreter …`, `offset 0`, `magic 7f45…` and perhaps `mask ff…` */
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

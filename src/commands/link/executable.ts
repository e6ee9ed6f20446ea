/** The executable for Linux in the package: whether this machine starts it. */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { isThere } from "../../system/paths.ts";
import { executableName, DIST_FOLDER, type NpmPackage } from "../parts/npm-package.ts";

const LONGEST_START_MS = 10_000;
const LARGEST_ANSWER = 4096;

/** The header of an ELF file: its first bytes, and the processor as a number of two bytes (elf(5), `e_machine`). */
const ELF = "\u007FELF";
const MACHINE_AT = 18;
const MACHINES: ReadonlyMap<string, number> = new Map([
  ["x64", 62],
  ["arm64", 183],
]);

/** The name of the executable for this machine, or the reason why none can be used. */
export type Executable = { readonly name: string } | { readonly why: string };

export async function executableOf({ folder, version }: NpmPackage): Promise<Executable> {
  const name = executableName(process.arch);
  const why = await obstacleTo(`${folder}/${DIST_FOLDER}/${name}`, version);
  return why === undefined ? { name } : { why: `${DIST_FOLDER}/${name} ${why}` };
}

/** Returns whether the package lacks the executable that it should have for this machine: a checkout can pack it so. */
export function isLeftOut({ folder }: NpmPackage): boolean {
  const isMade = process.platform === "linux" && MACHINES.has(process.arch);
  return isMade && !isThere(`${folder}/${DIST_FOLDER}/${executableName(process.arch)}`);
}

/** Starts an executable. @returns what is wrong, as the rest of a sentence; undefined if it starts and has the version */
export async function obstacleTo(file: string, version: string): Promise<string | undefined> {
  if (process.platform !== "linux") return `is for Linux, and this is ${process.platform}`;
  // A spawn without this may start a shell, which reads a file of another processor as its script (execvp(3), ENOEXEC).
  const machine = machineOf(file);
  if (typeof machine === "string") return `cannot be read (${machine})`;
  if (machine === undefined || machine !== MACHINES.get(process.arch)) return `is no executable for ${process.arch}`;
  const answer = await versionOf(file);
  if ("why" in answer) return answer.why;
  return answer.version === version ? undefined : `is version ${printable(answer.version)}, not ${printable(version)}`;
}

/** Returns the number of the processor; undefined if the file is no ELF file, or a system's error code. */
function machineOf(file: string): number | string | undefined {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK a named pipe would wait for its writer.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const header = Buffer.alloc(MACHINE_AT + 2);
    readSync(descriptor, header, 0, header.length, 0);
    return header.toString("latin1", 0, ELF.length) === ELF ? header.readUInt16LE(MACHINE_AT) : undefined;
  } catch (error) {
    return systemErrorCode(error) ?? "UNKNOWN";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Returns the first word of `--version`. The executable gets no variable, so that none changes its answer. */
function versionOf(file: string): Promise<{ readonly version: string } | { readonly why: string }> {
  const options = {
    cwd: "/",
    env: {},
    timeout: LONGEST_START_MS,
    maxBuffer: LARGEST_ANSWER,
    killSignal: "SIGKILL",
  } as const;
  return new Promise((resolve) => {
    execFile(file, ["--version"], options, (error, stdout) => {
      if (error === null) return resolve({ version: stdout.split(/\s/, 1)[0] ?? "" });
      const { code, killed, signal } = error;
      const end = killed === true ? "does not answer" : signal == null ? undefined : `is killed by ${signal}`;
      const why = end ?? (typeof code === "number" ? `ends with ${code}` : `cannot be started (${code ?? "UNKNOWN"})`);
      return resolve({ why });
    });
  });
}

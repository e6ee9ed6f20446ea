/** Finds the executable for Linux in the package for `sophia-run link`, and tests whether this machine can start it. */
import { execFile, type ExecFileException } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { entryExists } from "../../system/paths.ts";
import { executableName, DIST_FOLDER, type NpmPackage } from "../parts/npm-package.ts";

/** The limits on the time and the output of `sophia-run --version`, which the test starts. */
const MAX_START_MS = 10_000;
const MAX_VERSION_BYTES = 4096;

/** The first bytes of an ELF file, the format of executables on Linux. */
const ELF_MAGIC = "\u007FELF";
/** The offset of the processor in the header, a number of two bytes (elf(5), `e_machine`). */
const ELF_MACHINE_OFFSET = 18;
/** The numbers of the processors by their names in Node.js. */
const ELF_MACHINES: ReadonlyMap<string, number> = new Map([
  ["x64", 62],
  ["arm64", 183],
]);

/** The name of the executable for this machine, or the reason why none can be used. */
export type ExecutableSearch = { readonly name: string } | { readonly why: string };

/** Returns the executable for this machine, after it has started once. */
export async function findExecutable({ folder, version }: NpmPackage): Promise<ExecutableSearch> {
  const name = executableName(process.arch);
  const obstacle = await findStartObstacle(`${folder}/${DIST_FOLDER}/${name}`, version);
  return obstacle === undefined ? { name } : { why: `${DIST_FOLDER}/${name} ${obstacle}` };
}

/** Returns true if the package lacks the executable for this machine. A checkout can pack the package without it. */
export function lacksExecutable({ folder }: NpmPackage): boolean {
  const isSupported = process.platform === "linux" && ELF_MACHINES.has(process.arch);
  return isSupported && !entryExists(`${folder}/${DIST_FOLDER}/${executableName(process.arch)}`);
}

/**
 * Starts an executable to see whether this machine can.
 *
 * @returns the obstacle, as the rest of a sentence about the file; undefined if the executable starts and has the version
 */
export async function findStartObstacle(file: string, version: string): Promise<string | undefined> {
  if (process.platform !== "linux") return `is for Linux, and this is ${process.platform}`;
  // The header is read first: for a file of another processor execvp(3) may start a shell, which reads the file as a
  // script.
  const machine = readElfMachine(file);
  if (typeof machine === "string") return `cannot be read (${machine})`;
  if (machine === undefined || machine !== ELF_MACHINES.get(process.arch))
    return `is no executable for ${process.arch}`;
  const answer = await readVersion(file);
  if ("why" in answer) return answer.why;
  return answer.version === version ? undefined : `is version ${printable(answer.version)}, not ${printable(version)}`;
}

/** Returns the number of the processor; undefined if the file is no ELF file; an error code if it cannot be read. */
function readElfMachine(file: string): number | string | undefined {
  let descriptor: number | undefined;
  try {
    // With O_NONBLOCK, opening a named pipe does not wait for its writer.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const header = Buffer.alloc(ELF_MACHINE_OFFSET + 2);
    readSync(descriptor, header, 0, header.length, 0);
    return header.toString("latin1", 0, ELF_MAGIC.length) === ELF_MAGIC
      ? header.readUInt16LE(ELF_MACHINE_OFFSET)
      : undefined;
  } catch (error) {
    return systemErrorCode(error) ?? "UNKNOWN";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Returns the first word of `--version`. The executable gets no variables, since a variable could change its answer. */
function readVersion(file: string): Promise<{ readonly version: string } | { readonly why: string }> {
  const options = {
    cwd: "/",
    env: {},
    timeout: MAX_START_MS,
    maxBuffer: MAX_VERSION_BYTES,
    killSignal: "SIGKILL",
  } as const;
  return new Promise((resolve) => {
    execFile(file, ["--version"], options, (error, stdout) => {
      if (error === null) return resolve({ version: stdout.split(/\s/, 1)[0] ?? "" });
      return resolve({ why: describeStartFailure(error) });
    });
  });
}

/** Returns why the executable did not print its version, as the rest of a sentence about the file. */
function describeStartFailure({ code, killed, signal }: ExecFileException): string {
  // Node.js has killed the process, because it took longer than `MAX_START_MS`.
  if (killed === true) return "does not answer";
  if (signal != null) return `is killed by ${signal}`;
  return typeof code === "number" ? `ends with ${code}` : `cannot be started (${code ?? "UNKNOWN"})`;
}

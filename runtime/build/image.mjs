// Links an executable for Linux with its image: the memory of a process that has loaded the modules of most starts
// (runtime/native/image.h).
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/**
 * Chunks of the bundle that starts load: with a contract, `.env`, ESC and its cache. Chunks that these import are in the image, too. Others
 * would make the executable larger by three to four bytes for one of bytecode.
 */
const STARTS = ["program", "load", "dotenv", "access", "esc", "tls", "cached"];

/** Room for the image while its size is not known. */
const MOST_BYTES = 16 << 20;

/** Commands that run executables of another processor on this machine, which Debian has in qemu-user-static and qemu-user. */
const EMULATORS = { x64: ["qemu-x86_64-static", "qemu-x86_64"], arm64: ["qemu-aarch64-static", "qemu-aarch64"] };

/**
 * Returns the names of the image's files.
 *
 * @param program rolldown's chunks of the bundle
 * @param runtime those of the runtime
 */
export function imagedFiles(program, runtime) {
  const missing = STARTS.find((start) => program.every(({ name }) => name !== start));
  if (missing !== undefined) throw new Error(`no chunk ${missing}: its sources have another name now`);
  const chunks = new Map([...program, ...runtime].map((chunk) => [chunk.fileName, chunk]));
  const names = new Set();
  const add = (name) => {
    // Builtin modules are files of the runtime.
    const file = name.startsWith("node:") ? `runtime-${name.slice(5).replaceAll(/[/_]/g, "-")}.cjs` : name;
    if (names.has(`./${file}`) || !chunks.has(file)) return;
    names.add(`./${file}`);
    chunks.get(file).imports.forEach(add);
  };
  add("runtime-host.cjs");
  for (const { name, fileName } of program) if (STARTS.includes(name)) add(fileName);
  return names;
}

/** Returns true if this machine runs executables for the processor; otherwise warns of an executable without image. */
export function canMakeImage(processor) {
  if (runnerFor(processor) !== undefined) return true;
  const [emulator] = EMULATORS[processor];
  process.stderr.write(
    `no ${emulator}: the executable for ${processor} loads its modules at each start, which is slower\n`,
  );
  return false;
}

/** Returns the command in front of an executable for the processor: none, or an emulator; undefined if there is none. */
function runnerFor(processor) {
  if (processor === process.arch) return [];
  const emulator = EMULATORS[processor].find((name) => spawnSync(name, ["--version"]).status === 0);
  return emulator && [emulator];
}

/**
 * Links an executable with its image.
 *
 * @param files all files by name
 * @param imaged the names of those for the image
 * @param processor of the executable
 * @param link links an executable with these files and so many bytes for an image; returns its path
 */
export async function linkWithImage(files, imaged, processor, link) {
  const filesWhere = (isImaged) => Array.from(files).filter(([name]) => imaged.has(name) === isImaged);
  const input = Buffer.concat(
    filesWhere(true).flatMap(([name, bytes]) => [Buffer.from(`${bytes.length} ${name}\n`), bytes]),
  );
  const others = new Map(filesWhere(false));
  const runner = runnerFor(processor);
  const make = (path) => makeImage([...runner, path], input);
  const trial = await link(others, MOST_BYTES);
  const unused = sectionOf(readFileSync(trial), "image").size - make(trial).length;
  const path = await link(others, MOST_BYTES - unused);
  const executable = readFileSync(path);
  const { offset, size } = sectionOf(executable, "image");
  const image = make(path);
  if (image.length !== size) throw new Error(`the image has ${image.length} bytes, not ${size} as before`);
  if (!make(path).equals(image)) throw new Error("two images of the same files differ");
  image.copy(executable, offset);
  writeFileSync(path, executable);
}

/** Runs an executable that has no image. Nothing of this machine may get into the image. */
function makeImage([command, ...words], input) {
  const { error, status, stdout, stderr } = spawnSync(command, [...words, "--make-image"], {
    input,
    env: {},
    cwd: "/",
    maxBuffer: 2 * MOST_BYTES,
  });
  if (error !== undefined || status !== 0) throw new Error(`no image: ${error?.message ?? stderr}`);
  return stdout;
}

/** Finds a section of a file in ELF's 64-bit form (Tool Interface Standard, ELF 1.2, and its 64-bit version). */
function sectionOf(file, wanted) {
  const table = Number(file.readBigUInt64LE(0x28));
  const [entry, count, names] = [0x3a, 0x3c, 0x3e].map((at) => file.readUInt16LE(at));
  const header = (index) => {
    const at = table + index * entry;
    const [offset, size] = [0x18, 0x20].map((field) => Number(file.readBigUInt64LE(at + field)));
    return { name: file.readUInt32LE(at), offset, size };
  };
  const texts = header(names);
  const nameOf = ({ name }) => {
    const at = texts.offset + name;
    return file.toString("latin1", at, file.indexOf(0, at));
  };
  const headers = Array.from({ length: count }, (_, index) => header(index));
  const section = headers.find((each) => nameOf(each) === wanted);
  if (section === undefined) throw new Error(`no section ${wanted}`);
  return section;
}

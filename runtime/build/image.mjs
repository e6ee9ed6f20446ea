// Links an executable for Linux with its image: the memory of a process that has loaded the modules that most starts need. A start of
// the executable continues from this memory, and loads only the other modules (runtime/native/image.h).
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/**
 * The chunks of the bundle that a start with a contract, `.env`, ESC and its cache loads. The image also contains the chunks that these
 * chunks import. It contains no others, because a byte of bytecode takes three to four bytes of the image.
 */
const CHUNKS_OF_STARTS = ["program", "load", "dotenv", "access", "esc", "tls", "cached"];

/** The size of the section for the image while the size of the image is not known. */
const MAX_IMAGE_BYTES = 16 << 20;

/** The commands that run executables of another processor on this machine. Debian's packages qemu-user-static and qemu-user have them. */
const EMULATORS = { x64: ["qemu-x86_64-static", "qemu-x86_64"], arm64: ["qemu-aarch64-static", "qemu-aarch64"] };

/**
 * Selects the files for the image.
 *
 * @param programChunks rolldown's chunks of the bundle
 * @param runtimeChunks rolldown's chunks of the runtime
 * @returns the names of the files, such as `./runtime-host.cjs`
 */
export function selectImagedFiles(programChunks, runtimeChunks) {
  const missingChunk = CHUNKS_OF_STARTS.find((chunk) => programChunks.every(({ name }) => name !== chunk));
  if (missingChunk !== undefined) throw new Error(`no chunk ${missingChunk}: its sources have another name now`);
  const chunksByFile = new Map([...programChunks, ...runtimeChunks].map((chunk) => [chunk.fileName, chunk]));
  const names = new Set();
  const addWithImports = (specifier) => {
    // node:timers/promises is runtime-timers-promises.cjs of the runtime.
    const file = specifier.startsWith("node:")
      ? `runtime-${specifier.slice(5).replaceAll(/[/_]/g, "-")}.cjs`
      : specifier;
    if (names.has(`./${file}`) || !chunksByFile.has(file)) return;
    names.add(`./${file}`);
    chunksByFile.get(file).imports.forEach(addWithImports);
  };
  addWithImports("runtime-host.cjs");
  for (const { name, fileName } of programChunks) if (CHUNKS_OF_STARTS.includes(name)) addWithImports(fileName);
  return names;
}

/** Returns true if this machine runs executables for the processor. Otherwise warns that the executable will have no image. */
export function canMakeImage(processor) {
  if (findRunner(processor) !== undefined) return true;
  const [emulator] = EMULATORS[processor];
  process.stderr.write(
    `no ${emulator}: the executable for ${processor} loads its modules at each start, which is slower\n`,
  );
  return false;
}

/**
 * Finds the command that must precede an executable for the processor: an empty list for this machine's own processor, or an emulator;
 * undefined if there is no emulator.
 */
function findRunner(processor) {
  if (processor === process.arch) return [];
  const emulator = EMULATORS[processor].find((name) => spawnSync(name, ["--version"]).status === 0);
  return emulator && [emulator];
}

/**
 * Links an executable with its image, in three steps. A first executable makes an image, which gives the image's size. A second
 * executable has a section of exactly this size, and makes the image again. Then this image is copied into that section.
 *
 * @param files a Map of all files by name
 * @param imagedNames a Set of the names of the files for the image
 * @param processor Node's name of the executable's processor
 * @param link a function that links an executable with these files and a section of so many bytes for the image; returns its path
 */
export async function linkWithImage(files, imagedNames, processor, link) {
  const imagedFiles = Array.from(files).filter(([name]) => imagedNames.has(name));
  const otherFiles = new Map(Array.from(files).filter(([name]) => !imagedNames.has(name)));
  const input = formatFiles(imagedFiles);
  const runner = findRunner(processor);
  const make = (path) => makeImage([...runner, path], input);
  const firstPath = await link(otherFiles, MAX_IMAGE_BYTES);
  const unusedBytes = findSection(readFileSync(firstPath), "image").size - make(firstPath).length;
  const path = await link(otherFiles, MAX_IMAGE_BYTES - unusedBytes);
  const executable = readFileSync(path);
  const { offset, size } = findSection(executable, "image");
  const image = make(path);
  if (image.length !== size) throw new Error(`the image has ${image.length} bytes, not ${size} as before`);
  if (!make(path).equals(image)) throw new Error("two images of the same files differ");
  image.copy(executable, offset);
  writeFileSync(path, executable);
}

/** Returns the files as the executable reads them with --make-image: a line such as `1234 ./runtime-host.cjs`, then so many bytes. */
function formatFiles(files) {
  return Buffer.concat(files.flatMap(([name, bytes]) => [Buffer.from(`${bytes.length} ${name}\n`), bytes]));
}

/**
 * Runs an executable that has no image, and returns the image that it writes. The environment is empty and the working directory is the
 * root folder, so that nothing of this machine gets into the image.
 */
function makeImage([command, ...args], input) {
  const { error, status, stdout, stderr } = spawnSync(command, [...args, "--make-image"], {
    input,
    env: {},
    cwd: "/",
    maxBuffer: 2 * MAX_IMAGE_BYTES,
  });
  if (error !== undefined || status !== 0) throw new Error(`no image: ${error?.message ?? stderr}`);
  return stdout;
}

/** The offsets of fields in the header of a file in ELF's 64-bit form (Tool Interface Standard, ELF 1.2, and its 64-bit version). */
const ELF_HEADER = { e_shoff: 0x28, e_shentsize: 0x3a, e_shnum: 0x3c, e_shstrndx: 0x3e };

/** The offsets of fields in the header of a section in ELF's 64-bit form. */
const SECTION_HEADER = { sh_name: 0, sh_offset: 0x18, sh_size: 0x20 };

/** Finds a section of an ELF file by its name. @returns the section's offset in the file and its size, in bytes */
function findSection(file, wantedName) {
  const tableOffset = Number(file.readBigUInt64LE(ELF_HEADER.e_shoff));
  const headerLength = file.readUInt16LE(ELF_HEADER.e_shentsize);
  const readSection = (index) => {
    const headerOffset = tableOffset + index * headerLength;
    return {
      nameOffset: file.readUInt32LE(headerOffset + SECTION_HEADER.sh_name),
      offset: Number(file.readBigUInt64LE(headerOffset + SECTION_HEADER.sh_offset)),
      size: Number(file.readBigUInt64LE(headerOffset + SECTION_HEADER.sh_size)),
    };
  };
  // One section has the names of all sections, each with a zero byte at its end.
  const names = readSection(file.readUInt16LE(ELF_HEADER.e_shstrndx));
  const readName = ({ nameOffset }) => {
    const begin = names.offset + nameOffset;
    return file.toString("latin1", begin, file.indexOf(0, begin));
  };
  const count = file.readUInt16LE(ELF_HEADER.e_shnum);
  const sections = Array.from({ length: count }, (_, index) => readSection(index));
  const section = sections.find((each) => readName(each) === wantedName);
  if (section === undefined) throw new Error(`no section ${wantedName}`);
  return section;
}

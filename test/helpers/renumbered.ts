import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";

/** The executable has its files of bytecode in streams of zlib (runtime/build/runtime.mjs), which begin so. */
const STREAM = Buffer.from([0x78, 0xda]);
const ALIGNMENT = 16;

/**
 * Makes a package of the same length with another version number, which its file for Node.js and its executable also print.
 *
 * @param tarball of the package
 * @param to a version of the same length
 * @returns the path of the new tarball, in the folder
 */
export function renumbered(tarball: string, to: string, folder: string): string {
  const place = join(folder, `renumbered-${to}`);
  mkdirSync(place);
  execFileSync("tar", ["-xzf", tarball, "-C", place]);
  const root = join(place, "package");
  const manifest = join(root, "package.json");
  const { version: from }: Readonly<Record<string, unknown>> = Object(JSON.parse(readFileSync(manifest, "utf8")));
  if (typeof from !== "string" || from.length !== to.length) throw new Error(`not of the same length: ${String(from)}`);
  const files = [manifest, ...readdirSync(join(root, "dist")).map((name) => join(root, "dist", name))];
  for (const path of files) {
    if (/\.(?:cjs|json)$/.test(path)) {
      writeFileSync(path, readFileSync(path, "utf8").replaceAll(from, to));
    } else if (basename(path).startsWith("sophia-run-linux-")) {
      const bytes = readFileSync(path);
      renumberExecutable(bytes, from, to);
      writeFileSync(path, bytes);
    }
  }
  const made = join(folder, `sophia-run-${to}.tgz`);
  execFileSync("tar", ["-czf", made, "-C", place, "package"]);
  return made;
}

/** Replaces what `--version` prints. A stream that ends before the end of its place is a whole one. */
function renumberExecutable(bytes: Buffer, from: string, to: string): void {
  for (let at = bytes.indexOf(STREAM); at !== -1; at = bytes.indexOf(STREAM, at + 1)) {
    const text = at % ALIGNMENT === 0 ? inflated(bytes.subarray(at)) : undefined;
    if (text === undefined || !text.content.includes(`${from} (`)) continue;
    const content = Buffer.from(text.content.toString("latin1").replaceAll(from, to), "latin1");
    // The version of the format stands first, then a checksum, for which these bits mean that there is none.
    content.writeUInt32LE(0xff_ff_ff_ff, 1);
    // Not each amount of memory gives a stream that is as short as the build's.
    const streams = [5, 6, 7, 8, 9].map((memLevel) => deflateSync(content, { level: 9, memLevel }));
    const stream = streams.find(({ length }) => length <= text.length);
    if (stream === undefined) throw new Error("the version does not fit");
    bytes.fill(0, at, at + text.length).set(stream, at);
    return;
  }
  throw new Error("no version in the executable");
}

function inflated(bytes: Buffer): { readonly content: Buffer; readonly length: number } | undefined {
  try {
    // Sound: with `info` it returns this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const { buffer, engine } = inflateSync(bytes, { info: true }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { content: buffer, length: engine.bytesWritten };
  } catch {
    return undefined;
  }
}

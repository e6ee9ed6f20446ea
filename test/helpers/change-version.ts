/** Changes the version of a packed package, for tests of updates from one version to another. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";

/** The first bytes of a zlib stream. The executable has its bytecode in such streams (runtime/build/runtime.mjs). */
const ZLIB_HEADER = Buffer.from([0x78, 0xda]);
const ALIGNMENT = 16;

/**
 * Writes a tarball of the package with another version, which its bundle for Node.js and its executable also print. All files keep
 * their lengths.
 *
 * @param tarball the tarball of the package
 * @param to a version with as many characters as the present one
 * @returns the path of the new tarball, which is in `folder`
 */
export function changePackageVersion(tarball: string, to: string, folder: string): string {
  const place = join(folder, `version-${to}`);
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
      changeExecutableVersion(bytes, from, to);
      writeFileSync(path, bytes);
    }
  }
  const made = join(folder, `sophia-run-${to}.tgz`);
  execFileSync("tar", ["-czf", made, "-C", place, "package"]);
  return made;
}

/**
 * Replaces the version that `--version` prints. The new stream may be shorter than the present one, because zlib ignores the bytes
 * behind the end of a stream.
 */
function changeExecutableVersion(bytes: Buffer, from: string, to: string): void {
  for (let offset = bytes.indexOf(ZLIB_HEADER); offset !== -1; offset = bytes.indexOf(ZLIB_HEADER, offset + 1)) {
    const text = offset % ALIGNMENT === 0 ? inflate(bytes.subarray(offset)) : undefined;
    if (text === undefined || !text.content.includes(`${from} (`)) continue;
    const content = Buffer.from(text.content.toString("latin1").replaceAll(from, to), "latin1");
    // The first byte is the version of the format. Then comes a checksum; these bits mean that there is none.
    content.writeUInt32LE(0xff_ff_ff_ff, 1);
    // Some settings give a longer stream than the one of the build.
    const streams = [5, 6, 7, 8, 9].map((memLevel) => deflateSync(content, { level: 9, memLevel }));
    const stream = streams.find(({ length }) => length <= text.length);
    if (stream === undefined) throw new Error("the version does not fit");
    bytes.fill(0, offset, offset + text.length).set(stream, offset);
    return;
  }
  throw new Error("no version in the executable");
}

/** Decompresses a stream. @returns undefined if the bytes are no stream, otherwise its content and its compressed length */
function inflate(bytes: Buffer): { readonly content: Buffer; readonly length: number } | undefined {
  try {
    // Sound: with the option `info` the function returns this object.
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

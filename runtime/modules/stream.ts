/**
 * The parts of node:stream that the bundle and the runtime use. They are those of the package readable-stream, which is the code
 * of Node.js. Each file is imported by itself, because the package's entry would load all of them.
 */
import { Buffer } from "./buffer.ts";
import duplex from "readable-stream/lib/internal/streams/duplex.js";
import endOfStream from "readable-stream/lib/internal/streams/end-of-stream.js";
import legacy from "readable-stream/lib/internal/streams/legacy.js";
import readable from "readable-stream/lib/internal/streams/readable.js";

// The package's entry defines these two functions, which its other files use.
Object.assign(legacy.Stream, {
  _isUint8Array: (value: unknown) => value instanceof Uint8Array,
  _uint8ArrayToBuffer: ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength),
});

export const Duplex = duplex;
export const Readable = readable;
export const finished = endOfStream;

export type Duplex = InstanceType<typeof Duplex>;
export type Readable = InstanceType<typeof Readable>;

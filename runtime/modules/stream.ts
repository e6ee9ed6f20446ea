/**
 * The module node:stream of the executable's runtime. It has only the classes that the runtime and sophia-run's code use. They come
 * from the package readable-stream, a copy of Node.js's own streams. Individual files of the package are imported, because its entry
 * would load all of them.
 */
import { Buffer } from "./buffer.ts";
import duplex from "readable-stream/lib/internal/streams/duplex.js";
import endOfStream from "readable-stream/lib/internal/streams/end-of-stream.js";
import legacy from "readable-stream/lib/internal/streams/legacy.js";
import readable from "readable-stream/lib/internal/streams/readable.js";

// The package's entry defines these two functions, which its other files call.
Object.assign(legacy.Stream, {
  _isUint8Array: (value: unknown) => value instanceof Uint8Array,
  _uint8ArrayToBuffer: ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength),
});

export const Duplex = duplex;
export const Readable = readable;
export const finished = endOfStream;

export type Duplex = InstanceType<typeof Duplex>;
export type Readable = InstanceType<typeof Readable>;

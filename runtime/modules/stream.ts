/** The parts of node:stream that the bundle and the runtime use, of the package readable-stream: Node.js's own code. */
import { Buffer } from "./buffer.ts";
import duplex from "readable-stream/lib/internal/streams/duplex.js";
import endOfStream from "readable-stream/lib/internal/streams/end-of-stream.js";
import legacy from "readable-stream/lib/internal/streams/legacy.js";
import readable from "readable-stream/lib/internal/streams/readable.js";

// The package's entry defines these, with all that is not needed here.
Object.assign(legacy.Stream, {
  _isUint8Array: (value: unknown) => value instanceof Uint8Array,
  _uint8ArrayToBuffer: ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength),
});

export const Duplex = duplex;
export const Readable = readable;
export const finished = endOfStream;

export type Duplex = InstanceType<typeof Duplex>;
export type Readable = InstanceType<typeof Readable>;

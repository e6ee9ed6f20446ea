/** node:stream, which is the package readable-stream: Node.js's own code. */
import stream from "readable-stream/lib/stream.js";

export const {
  Stream,
  Readable,
  Writable,
  Duplex,
  Transform,
  PassThrough,
  addAbortSignal,
  finished,
  pipeline,
  promises,
  getDefaultHighWaterMark,
  setDefaultHighWaterMark,
} = stream;
export default stream;

export type Readable = InstanceType<typeof Readable>;
export type Writable = InstanceType<typeof Writable>;
export type Duplex = InstanceType<typeof Duplex>;
export type Transform = InstanceType<typeof Transform>;

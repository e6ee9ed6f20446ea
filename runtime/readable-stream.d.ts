/** Types for files of the package readable-stream, which has none. Most of them are those of node:stream. */
declare module "readable-stream/lib/internal/streams/duplex.js" {
  import { Duplex } from "node:stream";
  export default Duplex;
}
declare module "readable-stream/lib/internal/streams/end-of-stream.js" {
  import { finished } from "node:stream";
  export default finished;
}
declare module "readable-stream/lib/internal/streams/legacy.js" {
  const legacy: { readonly Stream: object };
  export default legacy;
}
declare module "readable-stream/lib/internal/streams/readable.js" {
  import { Readable } from "node:stream";
  const withState: typeof Readable & {
    /** The class of a stream's state. Without options it has the default ones. */
    readonly ReadableState: new (options: undefined, stream: object, isDuplex: boolean) => object;
  };
  export default withState;
}

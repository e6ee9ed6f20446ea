/** The package has no types of its own. */
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
    /** The state of a stream whose options are those that are usual. */
    readonly ReadableState: new (options: undefined, stream: object, isDuplex: boolean) => object;
  };
  export default withState;
}

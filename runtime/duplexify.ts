/**
 * Replaces a module of the package readable-stream, which implements the streams of the executable's runtime. The module implements
 * `Duplex.from`, which nothing uses here, and is a tenth of the package.
 */
export default function duplexify(): never {
  throw new Error("Duplex.from is not a part of this runtime");
}

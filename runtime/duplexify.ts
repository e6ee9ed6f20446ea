/** Replaces a module of readable-stream, a tenth of it, which only `Duplex.from` uses. */
export default function duplexify(): never {
  throw new Error("Duplex.from is not a part of this runtime");
}

/** Replaces the module of readable-stream that implements `Duplex.from`, which is a tenth of the package and is not used here. */
export default function duplexify(): never {
  throw new Error("Duplex.from is not a part of this runtime");
}

/**
 * The access to the functions that the C files of runtime/native/ add. A file declares an interface `Natives` with the functions
 * that it calls, and gets them by `natives<Natives>()`. Their names and types must be those of the C files, which nothing checks.
 */

/** A parameter of the function that the build puts around each file of the runtime. */
declare const NATIVE: unknown;

/** Returns the functions of the C files, with the types that the caller declares. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows its part of them
export function natives<Natives>(): Natives {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the C files define them, and are built with this one
  return NATIVE as Natives;
}

/**
 * Gives the files of the runtime the functions that runtime/native/ implements in C. A file declares an interface `Natives` with the
 * functions that it calls, and gets them by `natives<Natives>()`. No tool checks that their types are those of the C functions.
 */

/** A parameter of the function that the build puts around each file of the runtime. */
declare const NATIVE: unknown;

/** Returns the functions of the C files, with the types that the caller declares. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller declares which functions it calls
export function natives<Natives>(): Natives {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the C files define these functions
  return NATIVE as Natives;
}

/** How the kernel will execute a file. */
export type Image =
  /** An ELF file for this machine whose dynamic loader, if it names one, is there; or a Mach-O file. */
  | { readonly kind: "native" }
  /** A `#!` script: the interpreter and its one optional argument. */
  | { readonly kind: "script"; readonly interpreter: string; readonly argument?: string }
  /** The interpreter of a script or the dynamic loader of an ELF file does not exist. */
  | { readonly kind: "dangling"; readonly missing: string }
  /** An ELF or Mach-O file for another processor, or none that this one executes by itself: an emulator may, never a shell. */
  | { readonly kind: "foreign"; readonly machine?: string }
  /** A file that this processor can execute and the system may not support. */
  | { readonly kind: "possible" }
  /** Something else: a script without `#!`, a file without permission to read. */
  | { readonly kind: "unknown" };

import { writeSync } from "node:fs";
import { attempt } from "../../system/attempt.ts";
import { loadModule } from "../../system/addon/addon.ts";
import type { Addon, Libc } from "../../system/addon/libc.ts";
import { caller } from "../../system/before-bun.ts";

/** The native files of the package for Linux: base64 in JSON, defined by the build of the stand-alone executable. */
declare const SOPHIA_RUN_NATIVE_FILES: string | undefined;

/** The parts of their names behind the platform's. before-bun.c has made an empty file for each. */
const NAMES = [".node", "-redact.node", "-monitor.node", "-monitor"] as const;
const opened = new Map<string, unknown>();
/** Paths by name. Each file is written only once, since a second write would append. */
const filled = new Map<string, string | undefined>();

/** Loads an addon; undefined if this platform has none or executes no such files. `bun:ffi` would need Bun's compiler. */
export function openEmbeddedAddon(name: "" | "-redact" | "-monitor"): unknown {
  if (!opened.has(name)) opened.set(name, loadModule(embeddedFile(`${name}.node`)));
  return opened.get(name);
}

/** Returns the addon with the functions of the C library; undefined as `openEmbeddedAddon`. */
export function embeddedAddon(): Addon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return openEmbeddedAddon("") as Addon | undefined;
}

/** Returns the same for execve, with the signals that the caller ignored. */
export function loadLibc(): Libc | undefined {
  const addon = embeddedAddon();
  for (const signal of caller()?.ignored ?? []) addon?.ignoreOnExec(signal);
  return addon;
}

/** Returns the path of a file in memory (memfd_create(2)), which no other process can change; undefined if there is none. */
export function embeddedFile(name: (typeof NAMES)[number]): string | undefined {
  if (!filled.has(name)) filled.set(name, fill(name));
  return filled.get(name);
}

function fill(name: (typeof NAMES)[number]): string | undefined {
  const file = caller()?.files[NAMES.indexOf(name)];
  if (file === undefined || typeof SOPHIA_RUN_NATIVE_FILES === "undefined") return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- scripts/standalone.mjs wrote it
  const files = JSON.parse(SOPHIA_RUN_NATIVE_FILES) as Readonly<Record<string, string>>;
  const bytes = Buffer.from(files[`linux-${process.arch}${name}`] ?? "", "base64");
  const written = attempt(() => writeSync(file, bytes));
  return bytes.length > 0 && written === bytes.length ? `/proc/self/fd/${file}` : undefined;
}

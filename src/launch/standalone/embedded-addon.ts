import { writeSync } from "node:fs";
import { caller } from "../../system/before-bun.ts";

/** What `dist/` of the package has for Linux, as base64, in JSON; the build of the stand-alone executable puts it in. */
declare const SOPHIA_RUN_NATIVE_FILES: string | undefined;

/** What the files' names have behind the platform's; before-bun.c has made an empty file for each. */
const NAMES = [".node", "-redact.node", "-monitor.node", "-monitor"] as const;
const opened = new Map<string, unknown>();
/** The paths of files whose bytes were written: a second time would append them. */
const filled = new Map<string, string | undefined>();

/**
 * An addon that is part of a stand-alone executable. Not `bun:ffi`, which needs Bun's compiler.
 *
 * @param name what its file's name has behind the platform's
 * @returns undefined where there is none for this system or processor, or where the system executes no such files
 */
export function openEmbeddedAddon(name: "" | "-redact" | "-monitor"): unknown {
  if (!opened.has(name)) opened.set(name, load(`${name}.node`));
  return opened.get(name);
}

function load(name: (typeof NAMES)[number]): unknown {
  const path = embeddedFile(name);
  if (path === undefined) return undefined;
  const module: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(module, path);
    return module.exports;
  } catch {
    return undefined;
  }
}

/**
 * The path of a native file that is part of a stand-alone executable. It has no place in any folder (memfd_create(2)):
 * nobody can change it, and nothing is left behind.
 *
 * @returns undefined where there is none for this system or processor
 */
export function embeddedFile(name: (typeof NAMES)[number]): string | undefined {
  if (!filled.has(name)) filled.set(name, fill(name));
  return filled.get(name);
}

function fill(name: (typeof NAMES)[number]): string | undefined {
  const file = caller()?.files[NAMES.indexOf(name)];
  if (file === undefined || typeof SOPHIA_RUN_NATIVE_FILES === "undefined") return undefined;
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- scripts/standalone.mjs wrote it
    const files = JSON.parse(SOPHIA_RUN_NATIVE_FILES) as Readonly<Record<string, string>>;
    const bytes = Buffer.from(files[`linux-${process.arch}${name}`] ?? "", "base64");
    return bytes.length > 0 && writeSync(file, bytes) === bytes.length ? `/proc/self/fd/${file}` : undefined;
  } catch {
    return undefined;
  }
}

import { writeSync } from "node:fs";
import { caller } from "../../system/before-bun.ts";

/** The addons by the names of their files, as base64, in JSON; the build of the stand-alone executable puts it in. */
declare const SOPHIA_RUN_ADDONS: string | undefined;

/** What the names of the addons' files have behind the platform's; each has an empty file of before-bun.c's. */
const NAMES = ["", "-redact"] as const;
const opened = new Map<string, unknown>();

/**
 * An addon that is part of a stand-alone executable. The system loads it from a file that has no place in any folder
 * (memfd_create(2)): nobody can change it, and nothing is left behind. Not `bun:ffi`, which needs Bun's compiler.
 *
 * @returns undefined where there is none for this system or processor, or where the system executes no such files
 */
export function openEmbeddedAddon(name: (typeof NAMES)[number]): unknown {
  if (!opened.has(name)) opened.set(name, load(name));
  return opened.get(name);
}

function load(name: (typeof NAMES)[number]): unknown {
  const file = caller()?.files[NAMES.indexOf(name)];
  if (file === undefined || typeof SOPHIA_RUN_ADDONS === "undefined") return undefined;
  const module: { exports: unknown } = { exports: {} };
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- scripts/standalone.mjs wrote it
    const addons = JSON.parse(SOPHIA_RUN_ADDONS) as Readonly<Record<string, string>>;
    const bytes = Buffer.from(addons[`linux-${process.arch}${name}.node`] ?? "", "base64");
    if (writeSync(file, bytes) !== bytes.length) return undefined;
    process.dlopen(module, `/proc/self/fd/${file}`);
    return module.exports;
  } catch {
    return undefined;
  }
}

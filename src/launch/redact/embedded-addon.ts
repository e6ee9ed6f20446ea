import { closeSync, writeSync } from "node:fs";
import { openLibc } from "../exec/libc-of-bun.ts";

/** The addons by platform, as base64, in JSON; the build of the stand-alone executable puts it in. */
declare const SOPHIA_RUN_REDACT_ADDONS: string | undefined;

const MFD_CLOEXEC = 1;

/**
 * The addon that is part of a stand-alone executable. The system loads it from a file that has no place in any folder
 * (memfd_create(2)): nobody can change it, and nothing is left behind.
 *
 * @returns undefined where there is none for this system or processor, or where the system executes no such files
 */
export function openEmbeddedAddon(): unknown {
  if (process.platform !== "linux" || typeof SOPHIA_RUN_REDACT_ADDONS === "undefined") return undefined;
  let descriptor = -1;
  const module: { exports: unknown } = { exports: {} };
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- scripts/standalone.mjs wrote it
    const addons = JSON.parse(SOPHIA_RUN_REDACT_ADDONS) as Readonly<Record<string, string>>;
    const { memfd_create: makeFile } = openLibc({ memfd_create: ["i32", "ptr", "u32"] });
    descriptor = Number(makeFile?.(Buffer.from("sophia-run\0"), MFD_CLOEXEC));
    const bytes = Buffer.from(addons[`linux-${process.arch}`] ?? "", "base64");
    if (writeSync(descriptor, bytes) !== bytes.length) return undefined;
    process.dlopen(module, `/proc/self/fd/${descriptor}`);
    return module.exports;
  } catch {
    return undefined;
  } finally {
    if (descriptor >= 0) closeSync(descriptor);
  }
}

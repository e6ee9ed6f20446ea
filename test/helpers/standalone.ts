import { existsSync } from "node:fs";
import { join } from "node:path";

/** The stand-alone executable for this machine, which `npm run build:standalone` makes. */
export const executable = join(
  import.meta.dirname,
  "../../dist-standalone",
  `sophia-run-${process.platform}-${process.arch}${process.platform === "win32" ? ".exe" : ""}`,
);

/** Why tests of the executable cannot run; undefined where it was made. */
export const notMade: string | undefined = existsSync(executable)
  ? undefined
  : "needs what npm run build:standalone makes";

const ofTests = (kind: string): string =>
  join(import.meta.dirname, "../../.cache/runtime", `${kind}-sophia-run-linux-${process.arch}`);

/** The executable for Linux with checks of its memory (runtime/native/checked/checked.h). */
export const checked: string = ofTests("checked");

/** The executable for Linux that loads all modules at each start. */
export const imageless: string = ofTests("imageless");

/** Why tests of these two cannot run. */
export const notMadeForTests: string | undefined =
  existsSync(checked) && existsSync(imageless)
    ? undefined
    : "needs what node runtime/build/runtime.mjs --checked makes";

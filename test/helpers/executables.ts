/** The paths of the executables, and the reasons why tests of them cannot run. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The stand-alone executable for this machine, which `npm run build:standalone` makes. */
export const executable = join(
  import.meta.dirname,
  "../../dist-standalone",
  `sophia-run-${process.platform}-${process.arch}${process.platform === "win32" ? ".exe" : ""}`,
);

/** The reason why tests of the executable cannot run; undefined if it was built. */
export const noExecutable: string | undefined = existsSync(executable)
  ? undefined
  : "needs what npm run build:standalone makes";

/** Returns the path of an executable that is built only for tests. */
const testExecutable = (kind: string): string =>
  join(import.meta.dirname, "../../.cache/runtime", `${kind}-sophia-run-linux-${process.arch}`);

/** The executable for Linux with checks of its memory (runtime/native/checked/checked.h). */
export const checkedExecutable: string = testExecutable("checked");

/** The executable for Linux without an image of its memory, so that it loads all modules at each start. */
export const imagelessExecutable: string = testExecutable("imageless");

/** The reason why tests of these two executables cannot run; undefined if both were built. */
export const noTestExecutables: string | undefined =
  existsSync(checkedExecutable) && existsSync(imagelessExecutable)
    ? undefined
    : "needs what node runtime/build/runtime.mjs --checked makes";

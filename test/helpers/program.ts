/** Names the program under test. This file does not need vitest, so that scripts can import it. */
import { isAbsolute, join } from "node:path";

const root = join(import.meta.dirname, "../..");

/**
 * The program under test, as a command prefix. By default it is the package; `SOPHIA_RUN_UNDER_TEST` names another program, such as
 * the stand-alone executable.
 */
export const sophiaRun: readonly [string, ...string[]] = (() => {
  const other = process.env["SOPHIA_RUN_UNDER_TEST"];
  // The path must be absolute, because tests run the program in other folders.
  return other === undefined || other === ""
    ? [process.execPath, "--", join(root, "bin/sophia-run")]
    : [isAbsolute(other) ? other : join(root, other)];
})();

/** True if the program under test is a stand-alone executable. Tests cannot run code in it by `NODE_OPTIONS`. */
export const isStandalone: boolean = sophiaRun.length === 1;

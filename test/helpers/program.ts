import { isAbsolute, join } from "node:path";

const root = join(import.meta.dirname, "../..");

/**
 * The program under test, as a command prefix. `SOPHIA_RUN_UNDER_TEST` names another one, such as the stand-alone
 * executable.
 */
export const sophiaRun: readonly [string, ...string[]] = (() => {
  const other = process.env["SOPHIA_RUN_UNDER_TEST"];
  // Tests run it in folders of their own.
  return other === undefined || other === ""
    ? [process.execPath, "--", join(root, "bin/sophia-run")]
    : [isAbsolute(other) ? other : join(root, other)];
})();

/** The program under test is a stand-alone executable, into which no test can put code by `NODE_OPTIONS`. */
export const isStandalone: boolean = sophiaRun.length === 1;

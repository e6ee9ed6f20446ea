/** The image of the executable for Linux has the memory of JavaScript alone: runtime/native/image.h. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { notLinux, skipBecause } from "../../test/helpers/skip.ts";
import { notMade } from "../../test/helpers/standalone.ts";

skipBecause(notLinux ?? notMade);

/** Builds the executable in another process, with one more module in its image. Resolves with the error. */
async function failureWith(module: string): Promise<string> {
  const build = join(import.meta.dirname, "../build/runtime.mjs");
  const added = [["./runtime-added.cjs", `(function(exports,require,NATIVE){${module}\n})`]];
  const script = `
    import { buildRuntime } from ${JSON.stringify(build)};
    await buildRuntime(process.arch, "executable", undefined, ${JSON.stringify(added)}).then(
      () => console.log("built"),
      (error) => console.log(error.message),
    );`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  return stdout;
}

it.for([
  [
    "a hasher",
    `exports.hasher = require("./runtime-crypto.cjs").createHash("sha256");`,
    /\.\/runtime-added\.cjs, or a module that it imports: TypeError: it makes an object of C code \(Hasher\) while it loads/,
  ],
  [
    "a timer",
    `exports.timer = require("./runtime-timers.cjs").setTimeout(() => {}, 1000);`,
    /\.\/runtime-added\.cjs, or a module that it imports: TypeError: it reads the clock, or starts a timer, while it loads/,
  ],
  [
    "an open descriptor",
    `exports.descriptor = require("./runtime-fs.cjs").openSync("/dev/null");`,
    /a module opens \/dev\/null \(descriptor \d+\) while it loads/,
  ],
] as const)("a module that has %s ends the build", { timeout: 120_000 }, async ([, module, message]) => {
  expect(await failureWith(module)).toMatch(message);
});

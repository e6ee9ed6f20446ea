/**
 * The image of the executable for Linux contains only memory of JavaScript, nothing of C or of the kernel
 * (runtime/native/image.h).
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { notLinux, skipBecause } from "../../test/helpers/skip.ts";
import { noExecutable } from "../../test/helpers/executables.ts";

skipBecause(notLinux ?? noExecutable);

/** Modules that must not be in the image, each with the message of the build. */
const MODULES = {
  "a hasher": [
    `exports.hasher = require("./runtime-crypto.cjs").createHash("sha256");`,
    /\.\/runtime-added\.cjs, or a module that it imports: TypeError: it makes an object of C code \(Hasher\) while it loads/,
  ],
  "a timer": [
    `exports.timer = require("./runtime-timers.cjs").setTimeout(() => {}, 1000);`,
    /\.\/runtime-added\.cjs, or a module that it imports: TypeError: it reads the clock, or starts a timer, while it loads/,
  ],
  "an open descriptor": [
    `exports.descriptor = require("./runtime-fs.cjs").openSync("/dev/null");`,
    /a module opens \/dev\/null \(descriptor \d+\) while it loads/,
  ],
} as const;

/** Builds the executable once for each module, with the module in its image, and returns the errors. */
async function buildAndCollectErrors(): Promise<readonly string[]> {
  const build = join(import.meta.dirname, "../build/runtime.mjs");
  const script = `
    import { buildRuntime } from ${JSON.stringify(build)};
    const messages = [];
    for (const module of ${JSON.stringify(Object.values(MODULES).map(([module]) => module))}) {
      const addedScripts = [["./runtime-added.cjs", "(function(exports,require,NATIVE){" + module + "\\n})"]];
      const options = { processor: process.arch, kind: "executable", addedScripts };
      const failure = await buildRuntime(options).then(() => "built", (error) => error.message);
      messages.push(failure);
    }
    console.log(JSON.stringify(messages));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  const messages: unknown = JSON.parse(stdout);
  return Array.isArray(messages) ? messages.map(String) : [];
}

it(
  `the build fails if a module in the image has ${Object.keys(MODULES).join(", or ")}`,
  { timeout: 300_000 },
  async () => {
    expect(await buildAndCollectErrors()).toEqual(
      Object.values(MODULES).map(([, message]) => expect.stringMatching(message)),
    );
  },
);

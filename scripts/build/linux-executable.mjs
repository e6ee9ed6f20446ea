// Builds an executable for Linux into dist-standalone/, for scripts/standalone.mjs and scripts/package.mjs.
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildRuntime } from "../../runtime/build/runtime.mjs";
import { builtCommit } from "./commit.mjs";
import { hashOfInputs } from "./inputs.mjs";
import { executableName } from "./targets.mjs";

/**
 * Builds the executable of a target.
 *
 * @param root the repository
 * @param target such as `linux-x64`
 * @param progress as `buildProgress` returns it
 * @returns its path
 * @throws BuildFailure if a command of the build is missing or fails
 */
export async function buildLinuxExecutable(root, target, progress) {
  const output = join(root, "dist-standalone", executableName(target));
  const inputs = inputsOf(root);
  const { step: reportStep, end } = progress.start(target);
  mkdirSync(dirname(output), { recursive: true });
  const built = await buildRuntime({ processor: target.split("-")[1], kind: "executable", reportStep });
  // Renames, because the former one may be running.
  copyFileSync(built, `${output}.new`);
  renameSync(`${output}.new`, output);
  end();
  recordExecutable(root, target, inputs);
  return output;
}

/**
 * Notes that the executable of a target was built from these inputs; without them, from those that are there now, which a test does.
 *
 * @public
 */
export function recordExecutable(root, target, inputs = inputsOf(root)) {
  const file = recordOf(root);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...recorded(file), [target]: inputs })}\n`);
}

/** Returns whether the executable of a target is there, and a build would make the same one. */
export function isExecutableBuilt(root, target) {
  const isThere = existsSync(join(root, "dist-standalone", executableName(target)));
  return isThere && recorded(recordOf(root))[target] === inputsOf(root);
}

/** The commit is in the executable. */
function inputsOf(root) {
  return `${builtCommit(root)} ${hashOfInputs(root)}`;
}

function recordOf(root) {
  return join(root, ".cache", "standalone-inputs.json");
}

/** @returns the inputs by target; none if the file is missing or damaged */
function recorded(file) {
  try {
    return Object(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return {};
  }
}

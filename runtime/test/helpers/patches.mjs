// Calls functions of the build with folders of a test instead of the repository's folders:
//
//   node patches.mjs apply PUBLISHED PATCHES PREFIX    # prints the folder of the patched sources
//   node patches.mjs refresh|edit PUBLISHED PATCHES WORK VERSION
import { runScript } from "../../build/failure.mjs";
import { listPatches, patchSources } from "../../build/patches.mjs";
import { makeRepository, refreshPatches } from "../../build/refresh-patches.mjs";

const [, , task, published, patches, output, version] = process.argv;
const series = { version, publishedFolder: published, patchesFolder: patches, work: output };

await runScript(() => {
  switch (task) {
    case "apply":
      return process.stdout.write(`${patchSources(published, "1.0.0", listPatches(patches), output)}\n`);
    case "refresh":
      return process.stdout.write(`${refreshPatches(series).join("\n")}\n`);
    case "edit":
      return makeRepository(series);
    default:
      throw new Error(`no task ${task}`);
  }
});

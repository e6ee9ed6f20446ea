/** The cases of Docker, and those of Podman: most are the same. */
import assert from "node:assert/strict";
import { type Case, openPlace, runCases, selected } from "../report.ts";
import { buildCases } from "./builds.mts";
import { composeCases } from "./compose.mts";
import { conformanceCases } from "./conformance.mts";
import { devcontainerCases } from "./devcontainer.mts";
import { ENGINE } from "./differences.mts";
import { documentCases } from "./documents.mts";
import { endingCases } from "./endings.mts";
import { loadBaseImages, removeContainers } from "./engine.mts";
import { imageCases } from "./images.mts";
import { optionCases } from "./options.mts";
import { podmanCases } from "./podman.mts";
import { secretCases } from "./secrets.mts";
import { VALUES, startWorld } from "./world.mts";

const world = await openPlace(ENGINE.name, async () => {
  await loadBaseImages();
  return startWorld();
});
const OF_ONE = ENGINE.isDocker ? [documentCases, composeCases, devcontainerCases, conformanceCases] : [podmanCases];
const others = [imageCases, optionCases, endingCases, secretCases, ...OF_ONE].flatMap((casesOf) => casesOf(world));
const cases = [...buildCases(world), ...selected(others)];
await runCases(
  ENGINE.name,
  cases.map(([name, run]): Case => [
    name,
    async () => {
      world.environment.revise({ values: VALUES });
      world.environment.deny(undefined);
      world.esc.heal();
      await run().finally(removeContainers);
      assert.deepEqual(world.esc.violations, []);
    },
  ]),
);
await world.close();

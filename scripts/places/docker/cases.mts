/** The cases of Docker. An engine answers to the command `docker`. */
import assert from "node:assert/strict";
import { type Case, openPlace, runCases, selected } from "../report.ts";
import { buildCases } from "./builds.mts";
import { composeCases } from "./compose.mts";
import { conformanceCases } from "./conformance.mts";
import { devcontainerCases } from "./devcontainer.mts";
import { documentCases } from "./documents.mts";
import { endingCases } from "./endings.mts";
import { removeContainers } from "./engine.mts";
import { imageCases } from "./images.mts";
import { optionCases } from "./options.mts";
import { secretCases } from "./secrets.mts";
import { VALUES, startWorld } from "./world.mts";

const world = await openPlace("docker", startWorld);
const others = [
  imageCases,
  optionCases,
  endingCases,
  secretCases,
  documentCases,
  composeCases,
  devcontainerCases,
  conformanceCases,
].flatMap((casesOf) => casesOf(world));
const cases = [...buildCases(world), ...selected(others)];
await runCases(
  "docker",
  cases.map(([name, run]): Case => [
    name,
    async () => {
      world.environment.revise({ values: VALUES });
      world.esc.heal();
      await run().finally(removeContainers);
      assert.deepEqual(world.esc.violations, []);
    },
  ]),
);
await world.close();

/** The launch suite in a container, with both forms. */
import assert from "node:assert/strict";
import type { Case } from "../report.ts";
import { build, runToEnd } from "./engine.mts";
import type { World } from "./world.mts";

const IMAGE = "sophia-places/conformance";
const LAUNCHERS = {
  package: {
    launcher: "/usr/local/bin/node bin/sophia-run",
    options: ["--known-impossible", "scripts/places/docker/known-impossible"],
  },
  executable: { launcher: `dist-standalone/sophia-run-linux-${process.arch}`, options: [] },
} as const;

export function conformanceCases(world: World): readonly Case[] {
  const folder = process.cwd();
  return Object.entries(LAUNCHERS).map(([form, { launcher, options }]): Case => [
    `${form}: the conformance suite passes in a container`,
    async () => {
      await build({
        tag: IMAGE,
        folder: `${folder}/scripts/places/docker`,
        file: "conformance.Dockerfile",
        options: world.buildOptions,
      });
      const { status, stdout, stderr } = await runToEnd({
        image: IMAGE,
        options: [`--volume=${folder}:/repository:ro`, "--workdir=/repository", "--env=PYTHONDONTWRITEBYTECODE=1"],
        command: [
          "python3",
          "test/conformance/run.py",
          "--moments",
          "5",
          ...options,
          "--launcher",
          `${launcher} --no-contract --`,
        ],
      });
      const lines = stdout.trimEnd().split("\n");
      const failures = lines.filter((line) => !/^\s*(?:skipped|impossible|passed|ok) /.test(line)).slice(-40);
      assert.equal(status, 0, [...failures, stderr].join("\n"));
      const [, passed] = /^(\d+) passed, 0 failed/.exec(lines.at(-1) ?? "") ?? [];
      assert(Number(passed) > 380, lines.at(-1));
    },
  ]);
}

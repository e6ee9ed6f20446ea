/** Builds each example Dockerfile, unchanged, and the one that `init` writes. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Case } from "../report.ts";
import { ENGINE } from "./differences.mts";
import { build } from "./engine.mts";
import { ENVIRONMENT, KEY, PROJECTS, type World } from "./world.mts";

/** The Dockerfiles of a folder of examples, and the names of their images. */
function dockerfiles(folder: string): readonly (readonly [file: string, tag: string])[] {
  return readdirSync(join("examples", folder))
    .filter((file) => file.endsWith("Dockerfile"))
    .map((file) => [file, `sophia-places/${folder === "docker" ? file.toLowerCase() : folder}`]);
}

/** The beginning of the line by which cp says that the package has no executable. */
const LEFT_OUT = "cp: can";

export function buildCases(world: World): readonly Case[] {
  const secrets = { options: ["--secret=id=esc_token,env=ESC_TOKEN", `--build-arg=ESC_ENV=${ENVIRONMENT}`] };
  return [
    ...(ENGINE.isDocker ? ["docker", "python", "docker-without", "python-without"] : ["docker"]).flatMap((project) => {
      const [folder = "", isWithout] = project.split("-");
      return dockerfiles(folder).map(([file, tag]): Case => [
        `examples/${folder}/${file} is built unchanged${isWithout === undefined ? "" : ", from a package without an executable"}`,
        async () => {
          const path = join(PROJECTS, project);
          assert.equal(readFileSync(join(path, file), "utf8"), readFileSync(join("examples", folder, file), "utf8"));
          const options = file === "build-secret.Dockerfile" ? secrets.options : [];
          const log = await build({
            tag: isWithout === undefined ? tag : `${tag}-without`,
            folder: path,
            file,
            options: [...world.buildOptions, ...options],
            env: { ESC_TOKEN: world.esc.token },
          });
          for (const each of [world.esc.token, KEY]) assert(!log.includes(each));
          assert.equal(log.includes(LEFT_OUT), isWithout !== undefined, log);
        },
      ]);
    }),
    [
      "the Dockerfile that `init` writes is built unchanged",
      async () => {
        await build({ tag: "sophia-places/init", folder: join(PROJECTS, "init"), options: world.buildOptions });
      },
    ],
  ];
}

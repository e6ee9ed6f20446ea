/** Builds each example Dockerfile, unchanged, and the one that `init` writes. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Case } from "../report.ts";
import { ENGINE } from "./differences.mts";
import { build, engine, LABEL } from "./engine.mts";
import { ENVIRONMENT, KEY, PROJECTS, type World } from "./world.mts";

/** The Dockerfiles of a folder of examples, and the names of their images. */
function dockerfiles(folder: string): readonly (readonly [file: string, tag: string])[] {
  return readdirSync(join("examples", folder))
    .filter((file) => file.endsWith("Dockerfile"))
    .map((file) => [file, `sophia-places/${folder === "docker" ? file.toLowerCase() : folder}`]);
}

/** Returns true if the image's sophia-run is the executable, and not the script that starts Node.js in its place. */
async function hasExecutable(tag: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "sophia-places-"));
  const container = await engine(["create", `--label=${LABEL}`, tag]);
  try {
    // examples/python links to the package that Node.js starts. Podman has no such option, and builds no such image here.
    const follow = ENGINE.isDocker ? ["--follow-link"] : [];
    await engine(["cp", ...follow, `${container.trim()}:/usr/local/bin/sophia-run`, join(folder, "sophia-run")]);
    return readFileSync(join(folder, "sophia-run")).subarray(1, 4).toString("latin1") === "ELF";
  } finally {
    await engine(["rm", container.trim()]);
    rmSync(folder, { recursive: true });
  }
}

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
          const image = isWithout === undefined ? tag : `${tag}-without`;
          const log = await build({
            tag: image,
            folder: path,
            file,
            options: [...world.buildOptions, ...options],
            env: { ESC_TOKEN: world.esc.token },
          });
          for (const each of [world.esc.token, KEY]) assert(!log.includes(each));
          assert.equal(await hasExecutable(image), isWithout === undefined, log);
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

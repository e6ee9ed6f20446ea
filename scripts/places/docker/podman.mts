/** The cases that only Podman has: formats of images, and secrets of a store of its own. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../processes.ts";
import { type Case, shared } from "../report.ts";
import { engine, runToEnd, start } from "./engine.mts";
import { APP, type Form, FORMS, LISTENS, withEsc } from "./forms.mts";
import { KEY, PROJECTS, VALUES, type World } from "./world.mts";

export function podmanCases(world: World): readonly Case[] {
  return [formatCase(world), ...FORMS.map((form) => storeCase(world, form))];
}

function formatCase(world: World): Case {
  return [
    "podman build without --format docker drops HEALTHCHECK, and warns; with it the image has the health check",
    async () => {
      const check = (image: string) => engine(["image", "inspect", "--format={{json .HealthCheck}}", image]);
      const tag = "sophia-places/oci";
      const options = ["--network=host", `--tag=${tag}`, ...world.buildOptions];
      const { status, stderr } = await run(["podman", "build", ...options, join(PROJECTS, "docker")]);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /HEALTHCHECK is not supported for OCI image format/);
      assert.equal(await check(tag), "null");
      assert.match(await check(APP), /"Test":\["CMD"/);
    },
  ];
}

function storeCase(world: World, form: Form): Case {
  return [
    `${form.name}: --secret: the token's file is in no property, and a secret with the name of a variable is read without ESC`,
    async () => {
      const create = async (name: string, value: string): Promise<void> => {
        const file = join(shared, name);
        writeFileSync(file, value, { mode: 0o600 });
        await engine(["secret", "create", name, file]);
      };
      await create("esc_token", `${world.esc.token}\n`);
      await create("qdrant_api_key", KEY);
      try {
        const token = ["--secret=esc_token,uid=1000,mode=0400", "--env=ESC_TOKEN_FILE=/run/secrets/esc_token"];
        const given = withEsc(world, form, { options: [...token, "--env=ESC_TOKEN="] });
        const container = await start(given);
        await container.seen(LISTENS);
        const { stdout: mode } = await container.exec("stat", "-c", "%a %u", "/run/secrets/esc_token");
        assert.equal(mode, "400 1000\n");
        const all = `${await container.field("{{json .}}")}${Object.values(await container.logs()).join("")}`;
        assert(!all.includes(world.esc.token) && !all.includes(KEY));

        const opened = world.esc.count("open");
        const options = ["--secret=qdrant_api_key,uid=1000,mode=0400", `--env=QDRANT_URL=${VALUES.QDRANT_URL}`];
        const { status, stdout } = await runToEnd({
          image: APP,
          options: [...options, `--entrypoint=${form.path}`],
          command: ["--", "sh", "-c", "echo $QDRANT_API_KEY"],
        });
        assert.deepEqual([status, stdout], [0, `${KEY}\n`]);
        assert.equal(world.esc.count("open"), opened);
      } finally {
        await engine(["secret", "rm", "esc_token", "qdrant_api_key"]);
      }
    },
  ];
}

/** Secrets: neither in an image nor in a log, and in files only while the program runs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { secret } from "../../../test/esc-server/index.ts";
import { type Case, shared } from "../report.ts";
import { ENGINE } from "./differences.mts";
import { build, type Container, engine, runToEnd, start } from "./engine.mts";
import { type Form, FORMS, plain, withEsc } from "./forms.mts";
import { ENVIRONMENT, KEY, PROJECTS, startService, VALUES, type World } from "./world.mts";

const BUILT = "sophia-places/build-secret.dockerfile";
const FILE_SECRET = "file-sentinel-51c7e2a9";
const API_KEY = "sk-sentinel-0a9b8c7d6e5f4a3b2c1d";

export function secretCases(world: World): readonly Case[] {
  return [
    ...imageCases(world),
    ...FORMS.flatMap((form) => [maskCase(world, form), ...fileCases(world, form), brokerCase(world, form)]),
  ];
}

/** Searches what `docker save` writes, which is an archive of archives that are not compressed. */
async function saved(image: string, texts: readonly string[]): Promise<ReadonlySet<string>> {
  const child = spawn(ENGINE.name, ["save", image], { stdio: ["ignore", "pipe", "inherit"] });
  const found = new Set<string>();
  let rest = Buffer.alloc(0);
  const longest = Math.max(...texts.map((text) => text.length));
  for await (const chunk of child.stdout) {
    const all = Buffer.concat([rest, chunk]);
    for (const text of texts) if (all.includes(text)) found.add(text);
    rest = all.subarray(-longest);
  }
  return found;
}

function imageCases(world: World): readonly Case[] {
  return [
    [
      "the build had its secret, and neither history nor saved image have it",
      async () => {
        const { stdout } = await runToEnd({
          image: BUILT,
          options: ["--entrypoint=cat"],
          command: ["dist/collections.json"],
        });
        const result = '{"from":"qdrant.example:6333","authenticated":true}';
        assert.equal(stdout.trim(), result);
        const history = await engine(["history", "--no-trunc", BUILT]);
        assert.match(history, /ENTRYPOINT \["\/usr\/local\/bin\/sophia-run",? "--"\]/);
        for (const each of [world.esc.token, KEY]) assert(!history.includes(each));
        assert.deepEqual(Array.from(await saved(BUILT, [result, world.esc.token, KEY])), [result]);
      },
    ],
    [
      "without its secret the build fails, and names it",
      async () => {
        // BuildKit alone can leave out the cache of one stage.
        const uncached = ENGINE.isDocker ? "--no-cache-filter=build" : "--no-cache";
        const options = [...world.buildOptions, `--build-arg=ESC_ENV=${ENVIRONMENT}`, uncached];
        const built = build({
          tag: "sophia-places/none",
          folder: join(PROJECTS, "docker"),
          file: "build-secret.Dockerfile",
          options,
        });
        await assert.rejects(built, /secret.*esc_token/);
      },
    ],
  ];
}

function maskCase(world: World, form: Form): Case {
  return [
    `${form.name}: with --redact ${ENGINE.name} logs has *** in place of secrets, from both streams`,
    async () => {
      const program =
        'const { QDRANT_API_KEY: key } = process.env; console.log("out " + key); console.error("err " + key);';
      const { status, stdout, stderr } = await runToEnd(
        withEsc(world, form, { sophia: ["--redact"], command: ["node", "-e", program] }),
      );
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "out ***\n", stderr: "err ***\n" });
    },
  ];
}

function fileCases(world: World, form: Form): readonly Case[] {
  const print = `const { readFileSync, statSync } = require("node:fs"); const { CREDENTIALS: path } = process.env;
    console.log([path, (statSync(path).mode & 0o777).toString(8), readFileSync(path, "utf8")].join(" "));`;
  const prints = (
    name: string,
    folder: string,
    optionsOf: () => Promise<readonly string[]>,
    end?: () => Promise<void>,
  ): Case => [
    `${form.name}: ${name}`,
    async () => {
      world.environment.revise({ values: VALUES, files: { CREDENTIALS: secret(FILE_SECRET) } });
      const given = withEsc(world, form, { options: await optionsOf(), command: ["node", "-e", print] });
      const { status, stdout, stderr } = await runToEnd(given);
      assert.equal(stderr, "");
      const [path = "", mode, content] = stdout.trim().split(" ");
      assert(path.startsWith(`${folder}/`), path);
      assert.deepEqual({ status, mode, content }, { status: 0, mode: "600", content: FILE_SECRET });
      await end?.();
    },
  ];
  let other: Container;
  return [
    prints(
      "files of ESC are in /dev/shm, also with --read-only, and are gone after the program",
      "/dev/shm",
      async () => {
        // Another container has the same /dev/shm.
        other = await start(plain(form, { options: ["--ipc=shareable"], command: ["sleep", "600"] }));
        return ["--read-only", `--ipc=container:${other.name}`];
      },
      async () => assert.deepEqual(await other.exec("ls", "-A", "/dev/shm"), { status: 0, stdout: "", stderr: "" }),
    ),
    prints("files of ESC are in /tmp where there is no /dev/shm", "/tmp", () =>
      Promise.resolve(["--ipc=none", "--read-only", "--tmpfs=/tmp"]),
    ),
  ];
}

function brokerCase(world: World, form: Form): Case {
  return [
    `${form.name}: with --broker the program has a dummy, and the service gets the key`,
    async () => {
      const service = await startService(world);
      world.environment.revise({ values: { OPENAI_API_KEY: secret(API_KEY) } });
      const contract = join(shared, "broker.json");
      writeFileSync(contract, JSON.stringify({ variables: { OPENAI_API_KEY: { broker: true } } }), { mode: 0o644 });
      const program = `const { OPENAI_API_KEY: key, OPENAI_BASE_URL: base } = process.env;
        fetch(base + "/models", { headers: { authorization: "Bearer " + key } })
          .then(async (answer) => console.log(await answer.text(), JSON.stringify(process.env)));`;
      const container = await start(
        withEsc(world, form, {
          options: [`--volume=${contract}:/broker.json:ro`, `--env=OPENAI_BASE_URL=${service.origin}/v1`],
          sophia: ["--broker", "--contract", "/broker.json"],
          command: ["node", "-e", program],
        }),
      );
      const status = await container.end();
      const { stdout, stderr } = await container.logs();
      service.close();
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^served \{/);
      assert.deepEqual(service.seen, [`/v1/models Bearer ${API_KEY}`]);
      const shown = `${stdout}${stderr}${await container.field("{{json .}}")}`;
      assert(!shown.includes(API_KEY));
    },
  ];
}

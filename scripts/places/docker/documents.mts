/** The Dockerfiles of the documents, and their commands on the host of the engine. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secret } from "../../../test/esc-server/index.ts";
import { fencedBlocksOf } from "../../../test/helpers/markdown.ts";
import { type Case, shared } from "../report.ts";
import { run } from "../processes.ts";
import { build, engine, runCommand, runToEnd, start } from "./engine.mts";
import { APP, type Form, FORMS, LISTENS, plain, withEsc } from "./forms.mts";
import { ENVIRONMENT, KEY, startService, type World } from "./world.mts";

const EXECUTABLE = `sophia-run-linux-${process.arch}`;
const API_KEY = "sk-sentinel-of-the-host-4d3c2b1a";
const REQUEST = `fetch(process.env.OPENAI_BASE_URL + "/models", { headers: { authorization: "Bearer " + process.env.OPENAI_API_KEY } })
  .then(async (answer) => console.log(await answer.text()))`;

export function documentCases(world: World): readonly Case[] {
  return [
    ...dockerfileCases(world),
    ...tokenCases(world),
    ...hostCases(world),
    ...FORMS.map((form) => orphanCase(form)),
  ];
}

/** The Dockerfile of docs/standalone.md that begins with a line. */
function ofStandalone(from: string): string {
  const found = fencedBlocksOf(readFileSync("docs/standalone.md", "utf8")).find(({ text }) =>
    text.startsWith(`${from}\n`),
  );
  assert(found !== undefined, `docs/standalone.md has no Dockerfile that begins with ${from}`);
  return found.text.replaceAll("sophia-run-linux-x64", EXECUTABLE);
}

/** Builds a Dockerfile, with the executable in front of it. */
async function buildText(world: World, name: string, text: string, fill: (folder: string) => void): Promise<string> {
  const folder = join(shared, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "Dockerfile"), text);
  copyFileSync(join("dist", EXECUTABLE), join(folder, EXECUTABLE));
  fill(folder);
  const tag = `sophia-places/${name}`;
  await build({ tag, folder, options: world.buildOptions });
  return tag;
}

function dockerfileCases(world: World): readonly Case[] {
  const withToken = (image: string, options: readonly string[] = [], command: readonly string[] = []) => ({
    image,
    options: [...options, `--env=ESC_ENV=${ENVIRONMENT}`, "--env=ESC_TOKEN"],
    command,
    env: { ESC_TOKEN: world.esc.token },
  });
  const contract = `--volume=${process.cwd()}/examples/docker/sophia.contract.json:/sophia.contract.json:ro`;
  const shell = (command: string) =>
    `FROM ${APP}\nENV SOPHIA_MODE=exec PATH=/usr/local/bin:$PATH\nENTRYPOINT []\nCMD ${command}\n`;
  return [
    [
      "docs/standalone.md: an image with Python gets the executable",
      async () => {
        const text = ofStandalone("FROM python:3.13-slim-bookworm");
        const image = await buildText(world, "with-python", text, () => {});
        const print = "import os; print(os.environ['QDRANT_URL'])";
        const { status, stdout, stderr } = await runToEnd(withToken(image, [contract], ["python3", "-c", print]));
        assert.deepEqual({ status, stdout }, { status: 0, stdout: "https://qdrant.example:6333\n" }, stderr);
      },
    ],
    [
      "docs/standalone.md: an image FROM scratch gives its program ESC's values",
      async () => {
        // Its program is sophia-run again, which finds the contract met by what the first one has added.
        const image = await buildText(world, "from-scratch", ofStandalone("FROM scratch"), (folder) => {
          copyFileSync(join("dist", EXECUTABLE), join(folder, "server"));
        });
        const options = [
          contract,
          `--volume=${world.authorities}:/authorities.pem:ro`,
          "--env=SSL_CERT_FILE=/authorities.pem",
          `--env=PULUMI_BACKEND_URL=${world.esc.url}`,
        ];
        const command = ["/server", "check"];
        const met = await runToEnd(withToken(image, options, command));
        assert.equal(met.status, 0, met.stderr);
        assert.match(met.stdout, /^✅ Qdrant API Key: \*\*\*\w{4} \(the process environment\)$/m);
        assert(!`${met.stdout}${met.stderr}`.includes(KEY));
        assert.equal((await runToEnd({ image, options, command })).status, 78);
      },
    ],
    [
      "docs/containers.md: an image may have the package's compiled code",
      async () => {
        const line = fencedBlocksOf(readFileSync("docs/containers.md", "utf8")).find(({ text }) =>
          /^RUN .*-- true\n$/.test(text),
        );
        assert(line !== undefined);
        const image = await buildText(world, "compiled", `FROM ${APP}\n${line.text}`, () => {});
        const list = ["--entrypoint=find"];
        const { stdout } = await runToEnd({
          image,
          options: list,
          command: ["/home/node/.cache", "-type", "f", "-size", "+8k"],
        });
        assert.match(stdout, /^\/home\/node\/\.cache\/.*sophia-run/);
      },
    ],
    ...(
      [
        ["the shell form of CMD loses SIGTERM", "sophia-run -- node server.js", 137],
        ["the shell form with exec does not", "exec sophia-run -- node server.js", 0],
      ] as const
    ).map(([what, command, status]): Case => [
      `docs/containers.md: ${what}`,
      async () => {
        const image = await buildText(world, `shell-${status}`, shell(command), () => {});
        const container = await start(withToken(image));
        await container.seen(LISTENS);
        await engine(["stop", "--time=3", container.name]);
        assert.equal(await container.end(), status);
      },
    ]),
  ];
}

function tokenCases(world: World): readonly Case[] {
  return FORMS.flatMap((form): readonly Case[] => [
    [
      `${form.name}: docs/containers.md: values in files need no ESC, in /run/secrets or by a variable`,
      async () => {
        const folder = join(shared, `values-${form.name}`);
        mkdirSync(folder);
        writeFileSync(join(folder, "url"), "https://in-a-file.example\n", { mode: 0o444 });
        writeFileSync(join(folder, "key"), KEY, { mode: 0o444 });
        const options = [
          `--volume=${folder}/url:/run/secrets/qdrant_url:ro`,
          `--volume=${folder}/key:/run/keys/key:ro`,
          "--env=QDRANT_API_KEY_FILE=/run/keys/key",
          `--entrypoint=${form.path}`,
        ];
        const { status, stdout, stderr } = await runToEnd({
          image: APP,
          options,
          command: ["--", "printenv", "QDRANT_URL", "QDRANT_API_KEY"],
        });
        assert.deepEqual({ status, stdout }, { status: 0, stdout: `https://in-a-file.example\n${KEY}\n` }, stderr);
      },
    ],
    [
      `${form.name}: with ESC_TOKEN_FILE docker inspect shows only the token's path`,
      async () => {
        const file = join(shared, `token-${form.name}`);
        writeFileSync(file, `${world.esc.token}\n`, { mode: 0o444 });
        const { image, command = [] } = withEsc(world, form, {});
        const options = [
          `--env=ESC_ENV=${ENVIRONMENT}`,
          "--env=ESC_TOKEN_FILE=/run/secrets/esc_token",
          `--volume=${file}:/run/secrets/esc_token:ro`,
          `--entrypoint=${form.path}`,
        ];
        const container = await start({ image, command, options });
        await container.seen(LISTENS);
        const shown = await container.field("{{json .}}");
        assert(shown.includes("ESC_TOKEN_FILE=/run/secrets/esc_token"));
        assert(!shown.includes(world.esc.token));
      },
    ],
  ]);
}

/** With sophia-run on the machine of the engine. */
function hostCases(world: World): readonly Case[] {
  const sophia = join("dist", EXECUTABLE);
  const env = {
    ESC_ENV: ENVIRONMENT,
    ESC_TOKEN: world.esc.token,
    PULUMI_BACKEND_URL: world.esc.url,
    SSL_CERT_FILE: world.authorities,
  };
  const passed = ["--rm", "--env=OPENAI_API_KEY", "--env=OPENAI_BASE_URL", "--entrypoint=node"];
  const brokered = (name: string, ofSophia: readonly string[], ofDocker: readonly string[]): Case => [
    `docs/broker.md: ${name}`,
    async () => {
      const service = await startService(world);
      world.environment.revise({ values: { OPENAI_API_KEY: secret(API_KEY) } });
      const contract = join(shared, "host.json");
      writeFileSync(contract, JSON.stringify({ variables: { OPENAI_API_KEY: { broker: true } } }));
      const { command } = runCommand({ image: APP, options: [...passed, ...ofDocker], command: ["-e", REQUEST] }, []);
      const options = ["--contract", contract, "--broker", "--broker-listen", world.gateway, ...ofSophia];
      const given = { ...env, OPENAI_BASE_URL: `${service.origin}/v1` };
      const { status, stdout, stderr } = await run([sophia, ...options, "--", ...command], given);
      service.close();
      assert.deepEqual({ status, stdout }, { status: 0, stdout: "served\n" }, stderr);
      assert.deepEqual(service.seen, [`/v1/models Bearer ${API_KEY}`]);
    },
  ];
  return [
    brokered("a sophia-run on the host gives a container dummies and an address", [], []),
    brokered(
      "the container knows the host by another name",
      ["--broker-name", "host.docker.internal"],
      ["--add-host=host.docker.internal:host-gateway"],
    ),
    [
      "docs/reference.md: docker run --env-file reads what export --format docker prints",
      async () => {
        const given = { image: APP, options: ["--rm", "--entrypoint=printenv"], command: ["QDRANT_URL"] };
        const { command } = runCommand(given, []);
        const exported = `${sophia} export --format docker --contract examples/docker/sophia.contract.json`;
        // The first two words of the command are `docker run`.
        const script = `exec "\${@:1:2}" --env-file <(${exported}) "\${@:3}"`;
        const { status, stdout, stderr } = await run(["bash", "-c", script, "bash", ...command], env);
        assert.deepEqual({ status, stdout }, { status: 0, stdout: "https://qdrant.example:6333\n" }, stderr);
      },
    ],
  ];
}

function orphanCase(form: Form): Case {
  return [
    `${form.name}: docs/signals.md: in spawn mode orphans are reaped by PID 1`,
    async () => {
      const list = "for each in /proc/[0-9]*; do cat $each/stat 2>/dev/null; done";
      const script = `(sleep 0.2 &); sleep 1; ${list}; echo listed`;
      const { status, stdout } = await runToEnd(plain(form, { command: ["sh", "-c", script] }));
      assert.equal(status, 0);
      assert.match(stdout, /^1 \(/m);
      assert(!stdout.includes("(sleep)"), stdout);
    },
  ];
}

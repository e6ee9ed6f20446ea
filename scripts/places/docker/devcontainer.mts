/** examples/devcontainer as it is, opened by the devcontainer CLI. */
import assert from "node:assert/strict";
import { copyFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memberAt } from "../../../test/helpers/json-members.ts";
import { type Finished, run } from "../processes.ts";
import { type Case, shared, until } from "../report.ts";
import { engine, LABEL, PREFIX } from "./engine.mts";
import { AUTHORITIES, ENVIRONMENT, KEY, PROJECTS, type World } from "./world.mts";

/** The CLI names images by it. */
const FOLDER = join(shared, PREFIX);
const CLI = ["node", "node_modules/@devcontainers/cli/devcontainer.js"] as const;
/** By it the CLI finds its container, and the script what to remove. */
const ID = LABEL.includes("=") ? LABEL : `${LABEL}=devcontainer`;
const READY = "\nQdrant: qdrant.example:6333\nthe development environment is ready\n";
/** The user of the image. */
const USER = "1000:1000";

const SERVER = `
const { host } = new URL(process.env.QDRANT_URL);
require("node:http").createServer((_request, response) => response.end(host)).listen(3000);
`;
const ASK = 'fetch("http://127.0.0.1:3000/").then(async (response) => console.log(await response.text()))';

interface Opened {
  readonly status: number | null;
  readonly outcome: unknown;
  readonly container: string;
  /** The output of the CLI and of the commands in the file. */
  readonly log: string;
}

/** The file that the example's manifest names. */
const [, PACKAGE = ""] = /file:([^"]+\.tgz)/.exec(readFileSync("examples/devcontainer/package.json", "utf8")) ?? [];

/** Copies the example, with the package. */
async function prepare(): Promise<void> {
  cpSync("examples/devcontainer", FOLDER, { recursive: true });
  copyFileSync(join(PROJECTS, "docker", PACKAGE), join(FOLDER, PACKAGE));
  await run(["chown", "-R", USER, FOLDER]);
}

export function devcontainerCases(world: World): readonly Case[] {
  const { esc } = world;
  const variables = () => ({ ESC_ENV: ENVIRONMENT, ESC_TOKEN: esc.token });
  // Settings of this place beside the file: ESC's address, and its authority.
  const remote = [`PULUMI_BACKEND_URL=${esc.url}`, `NODE_EXTRA_CA_CERTS=${AUTHORITIES}`].map(
    (one) => `--remote-env=${one}`,
  );
  const folder = [`--workspace-folder=${FOLDER}`, "--mount-workspace-git-root=false", `--id-label=${ID}`];
  const mount = `--mount=type=bind,source=${world.authorities},target=${AUTHORITIES}`;

  async function up(env: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<Opened> {
    const { status, stdout, stderr } = await run([...CLI, "up", ...folder, ...remote, mount, ...options], env);
    const result: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    // Without the time at the beginning of lines.
    const log = stderr.replaceAll("\r", "").replaceAll(/^\[[^\]]+Z\] /gm, "");
    for (const each of [esc.token, KEY]) assert(!`${stdout}${log}`.includes(each), "the log has a secret");
    return { status, outcome: memberAt(result, "outcome"), container: String(memberAt(result, "containerId")), log };
  }

  const exec = (...command: readonly string[]): Promise<Finished> =>
    run([...CLI, "exec", ...folder, ...remote, ...command], variables());

  const cases: readonly Case[] = [
    [
      "up installs sophia-run, and the postStartCommand has the configuration",
      async () => {
        const { status, outcome, container, log } = await up(variables());
        assert.equal(outcome, "success", log);
        assert.equal(status, 0);
        assert(log.includes(READY), log);
        const inspected = await engine(["inspect", container]);
        for (const each of [esc.token, KEY]) assert(!inspected.includes(each));
      },
    ],
    [
      "a terminal of the container has the variables, too",
      async () => {
        await up(variables());
        const { status, stdout, stderr } = await exec("sophia-run", "check");
        assert.equal(status, 0, `${stdout}${stderr}`);
        assert.match(stdout, /^✅ Qdrant URL: \*\*\*/m);
      },
    ],
    [
      "the command runs at each start of the container, with the current values",
      async () => {
        const { container } = await up(variables());
        await engine(["stop", "--time=1", container]);
        world.environment.revise({ values: { QDRANT_URL: "https://second.example:6333" } });
        const { container: again, log } = await up(variables());
        assert.equal(again, container);
        assert(log.includes("Qdrant: second.example:6333\n"), log);
      },
    ],
    [
      "a contract that is not met is reported with 78, and the container opens anyway",
      async () => {
        const { container } = await up(variables());
        await engine(["stop", "--time=1", container]);
        world.environment.revise({ values: {} });
        const { status, outcome, log } = await up(variables());
        assert.deepEqual([status, outcome], [1, "error"]);
        assert.match(log, /✗ QDRANT_URL \(Qdrant URL\) is required and not set/);
        assert.match(log, /postStartCommand from devcontainer\.json failed with exit code 78/);
        assert.equal((await exec("true")).status, 0);
      },
    ],
    [
      "a rebuilt container runs it again",
      async () => {
        const { container } = await up(variables());
        const { container: rebuilt, outcome, log } = await up(variables(), "--remove-existing-container");
        assert.equal(outcome, "success", log);
        assert.notEqual(rebuilt, container);
        assert(log.includes(READY), log);
      },
    ],
    [
      "the README's line for a server keeps it running after the command",
      async () => {
        const file = join(FOLDER, ".devcontainer/devcontainer.json");
        const before = readFileSync(file, "utf8");
        const [line = ""] =
          /"postStartCommand": "trap .*/.exec(readFileSync("examples/devcontainer/README.md", "utf8")) ?? [];
        writeFileSync(
          file,
          before.replace(/"postStartCommand": .*/, () => line),
        );
        writeFileSync(join(FOLDER, "server.js"), SERVER);
        const { outcome, log } = await up(variables());
        writeFileSync(file, before);
        assert.equal(outcome, "success", log);
        const answer = () => exec("node", "-e", ASK);
        const { stdout } = await until("the server's answer", answer, ({ status }) => status === 0);
        assert.equal(stdout, "qdrant.example:6333\n");
      },
    ],
    [
      "the secrets of --secrets-file win over remoteEnv",
      async () => {
        const file = join(shared, "secrets.json");
        writeFileSync(file, JSON.stringify(variables()));
        const { outcome, log } = await up({ ESC_ENV: "acme/sophia/nothing", ESC_TOKEN: "" }, `--secrets-file=${file}`);
        assert.equal(outcome, "success", log);
        assert(log.includes(READY), log);
      },
    ],
  ];
  let prepared = false;
  return cases.map(([name, body]): Case => [
    `devcontainer: ${name}`,
    async () => {
      if (!prepared) await prepare();
      prepared = true;
      await body().finally(async () => {
        for (const id of (await engine(["ps", "--all", "--quiet", `--filter=label=${ID}`])).split("\n")) {
          if (id !== "") await engine(["rm", "--force", id]);
        }
      });
    },
  ]);
}

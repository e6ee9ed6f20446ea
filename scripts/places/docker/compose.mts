/** examples/docker/compose.yaml as it is, with what examples/docker/README.md says of it. The settings of this place are in compose.override.yaml. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, run } from "../processes.ts";
import { type Case, shared, until } from "../report.ts";
import { LABEL, PREFIX } from "./engine.mts";
import { KEY, PROJECTS, VALUES, type World } from "./world.mts";

/** Compose names its project by it. */
const FOLDER = join(shared, `${PREFIX}-compose`);
const OVERRIDE = join(FOLDER, "compose.override.yaml");
const HOME = join(shared, "home");
/** The path in the README's commands. */
const TOKEN_FILE = join(HOME, ".config/sophia-run/token");
const BODY = { qdrant: "qdrant.example:6333", authenticated: true };
/** Seconds, fewer than the ten between SIGTERM and SIGKILL. */
const IN_TIME = 5;

const WITH_TOKEN = { ESC_TOKEN_FILE: TOKEN_FILE };

function compose(args: readonly string[], env: Readonly<Record<string, string>> = WITH_TOKEN): Promise<Finished> {
  return run(["env", "-C", FOLDER, "docker", "compose", "--progress=plain", ...args], { HOME, ...env });
}

/** A command of Compose that must succeed. */
async function composed(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await compose(args);
  assert.equal(status, 0, `docker compose ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** Settings beside the example's: the base with ESC's address, and labels, by which all is removed. `rest` is YAML. */
function override(service: Readonly<Record<string, unknown>> = {}, rest = ""): void {
  const labels = [LABEL];
  const build = { labels, additional_contexts: ["node:24-bookworm-slim=docker-image://sophia-places/base-node"] };
  // The image's own interval is 30 seconds.
  const healthcheck = { interval: "1s" };
  const services = { app: { labels, build, healthcheck, ...service } };
  const networks = { default: { labels } };
  writeFileSync(OVERRIDE, `services: ${JSON.stringify(services)}\nnetworks: ${JSON.stringify(networks)}\n${rest}`);
}

function prepare({ esc }: World): void {
  cpSync(join(PROJECTS, "docker"), FOLDER, { recursive: true });
  assert.deepEqual(readFileSync(join(FOLDER, "compose.yaml")), readFileSync("examples/docker/compose.yaml"));
  override();
  mkdirSync(join(TOKEN_FILE, ".."), { recursive: true });
  writeFileSync(TOKEN_FILE, `${esc.token}\n`, { mode: 0o644 });
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1_000;
}

/** The lines of the README that start Compose. */
function commandsOfReadme(): string {
  const [, commands] =
    /```sh\n(export ESC_TOKEN_FILE=[^`]+)```/.exec(readFileSync("examples/docker/README.md", "utf8")) ?? [];
  assert(commands !== undefined, "the README has no commands for Compose");
  return commands;
}

export function composeCases(world: World): readonly Case[] {
  if (spawnSync("docker", ["compose", "version"]).status !== 0) {
    console.log("not run: Compose, which this machine's Docker does not have");
    return [];
  }
  const { esc } = world;
  const cases: readonly Case[] = [
    [
      "config has the path of the token's file, and no secret",
      async () => {
        const config = await composed("config");
        assert(config.includes(TOKEN_FILE));
        assert(!config.includes(esc.token));
      },
    ],
    [
      "a command without ESC_TOKEN_FILE names it, and after the README's export each command has it",
      async () => {
        const { status, stderr } = await compose(["down"], {});
        assert.notEqual(status, 0);
        assert.match(stderr, /required variable ESC_TOKEN_FILE is missing a value: name a file that holds the token/);
        const commands = commandsOfReadme().replace("docker compose up", "docker compose up --detach --wait");
        const shell = await run(["env", "-C", FOLDER, "sh", "-euc", `${commands}\ndocker compose down`], { HOME });
        assert.equal(shell.status, 0, shell.stderr);
      },
    ],
    [
      "up is healthy and answers, with a root that cannot be written, and nothing shows the token or a value",
      async () => {
        await composed("up", "--detach", "--wait");
        const response = await fetch("http://127.0.0.1:3000/", { headers: { connection: "close" } });
        assert.deepEqual(await response.json(), BODY);
        const [id = ""] = (await composed("ps", "--quiet")).split("\n");
        const inspected = await run(["docker", "inspect", id]);
        assert.match(inspected.stdout, /"ReadonlyRootfs": true/);
        assert.match(inspected.stdout, /"ESC_TOKEN_FILE=\/run\/secrets\/esc_token"/);
        for (const text of [inspected.stdout, await composed("logs")]) {
          assert(!text.includes(esc.token) && !text.includes(KEY));
        }
        const written = await compose(["exec", "-T", "app", "touch", "/app/file"]);
        assert.match(written.stderr, /Read-only file system/);
        const read = await compose(["exec", "-T", "app", "cat", "/run/secrets/esc_token"]);
        assert.equal(read.stdout, `${esc.token}\n`);
      },
    ],
    [
      "stop ends the program by SIGTERM in time, with its status",
      async () => {
        await composed("up", "--detach", "--wait");
        const taken = await seconds(() => composed("stop"));
        assert(taken < IN_TIME, `it took ${taken} s`);
        assert.match(await composed("logs"), /stopped by SIGTERM/);
        assert.match(await composed("ps", "--all"), /Exited \(0\)/);
      },
    ],
    [
      "stop ends a start in time that waits for ESC",
      async () => {
        const held = esc.hold("any");
        const calls = esc.count("any");
        await composed("up", "--detach");
        await esc.waitFor("any", calls + 1);
        const taken = await seconds(() => composed("stop"));
        assert(taken < IN_TIME, `it took ${taken} s`);
        assert.match(await composed("ps", "--all"), /Exited \(143\)/);
        held.release();
      },
    ],
    [
      "an unmet contract ends the service with 78",
      async () => {
        world.environment.revise({ values: {} });
        assert.equal((await compose(["up", "--exit-code-from=app"])).status, 78);
        assert.match(await composed("logs"), /✗ QDRANT_URL .* is required and not set/);
      },
    ],
    [
      "restart: on-failure:2 restarts it twice after 78, and `up` starts it once the contract is met",
      async () => {
        override({ restart: "on-failure:2" });
        world.environment.revise({ values: {} });
        await composed("up", "--detach");
        const id = (await composed("ps", "--all", "--quiet")).trim();
        const state = "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}";
        const inspect = async () => (await run(["docker", "inspect", `--format=${state}`, id])).stdout.trim();
        await until("the end of restarts", inspect, (shown) => shown === "2 exited 78");
        world.environment.revise({ values: VALUES });
        await composed("up", "--detach", "--wait");
      },
    ],
    [
      "run starts another command with the same configuration, and masks its output",
      async () => {
        const masked = ["run", "--rm", "-T", "--env=SOPHIA_REDACT=always", "app"];
        const output = await composed(...masked, "node", "-p", "process.env.QDRANT_API_KEY");
        assert.equal(output, "***\n");
      },
    ],
    [
      "a token's file that user 1000 cannot read ends the service with 78, and the message names it",
      async () => {
        chmodSync(TOKEN_FILE, 0o600);
        assert.equal((await compose(["up", "--exit-code-from=app"])).status, 78);
        assert.match(await composed("logs"), /\/run\/secrets\/esc_token.*permission denied/);
      },
    ],
    [
      "with a read-only root Compose takes no secret from a variable",
      async () => {
        override({}, "secrets:\n  esc_token: !override\n    environment: THE_TOKEN\n");
        const { status, stderr } = await compose(["up", "--detach"], { ...WITH_TOKEN, THE_TOKEN: esc.token });
        assert.notEqual(status, 0);
        assert.match(stderr, /container rootfs is marked read-only/);
      },
    ],
  ];
  let prepared = false;
  return cases.map(([name, body]): Case => [
    `compose: ${name}`,
    async () => {
      if (!prepared) prepare(world);
      prepared = true;
      override();
      chmodSync(TOKEN_FILE, 0o644);
      await body().finally(() => compose(["down", "--timeout=0"]));
    },
  ]);
}

/** Each image with its own command: the server, its health check and its end. */
import assert from "node:assert/strict";
import { run } from "../processes.ts";
import { type Case, until } from "../report.ts";
import { ENGINE } from "./differences.mts";
import { type Container, engine, removeContainers, start } from "./engine.mts";
import { LISTENS } from "./forms.mts";
import { ENVIRONMENT, type World } from "./world.mts";

const IMAGES = ["dockerfile", "alpine.dockerfile", "build-secret.dockerfile", "distroless.dockerfile"] as const;
/** The image has the command. Its own interval of 30 seconds is that of a service, not of a test. */
const OFTEN = ["--health-interval=1s", "--health-start-period=0s", "--health-retries=2"] as const;

export function imageCases(world: World): readonly Case[] {
  const states = (
    [
      ["healthy", "while the server answers", []],
      ["unhealthy", "while the server listens elsewhere than the check asks", ["--env=HOST=127.0.0.2"]],
    ] as const
  ).map(([state, when, options]): Case => [
    `each example's health check says ${state} ${when}`,
    async () => {
      const check = async (name: string): Promise<void> => {
        const container = await start({
          image: `sophia-places/${name}`,
          options: [`--env=ESC_ENV=${ENVIRONMENT}`, "--env=ESC_TOKEN", ...(ENGINE.isDocker ? OFTEN : []), ...options],
          env: { ESC_TOKEN: world.esc.token },
        });
        await becomes(container, state);
        if (ENGINE.isOnHost) await removeContainers();
      };
      if (!ENGINE.isOnHost) await Promise.all(IMAGES.map(check));
      else for (const name of IMAGES) await check(name);
    },
  ]);
  const servers = SERVERS.filter(({ image }) => ENGINE.isDocker || !/^python|-without$/.test(image));
  return [...states, ...servers.map((server) => serverCase(world, server))];
}

/** Waits until a container's health check has succeeded or failed. Podman leaves its times to systemd, so it is called. */
async function becomes(container: Container, state: "healthy" | "unhealthy"): Promise<void> {
  if (ENGINE.isDocker) {
    const health = () => container.field("{{.State.Status}} {{.State.Health.Status}}");
    await until(`${container.name} is ${state}`, health, (shown) => shown === `running ${state}`);
  } else {
    await container.seen(LISTENS);
    const { status, stdout, stderr } = await run([ENGINE.name, "healthcheck", "run", container.name]);
    assert.equal(status, state === "healthy" ? 0 : 1, stdout + stderr);
  }
}

interface Server {
  readonly image: string;
  readonly listens: RegExp;
  /** A command in the container that asks the server, and its output. */
  readonly ask: readonly string[];
  readonly answer: RegExp;
  /** The status after `stop`. */
  readonly status: number;
}

const NODE = {
  listens: LISTENS,
  ask: ["node", "-e", 'fetch("http://127.0.0.1:3000").then(async (response) => console.log(await response.text()))'],
  answer: /^\{"qdrant":"qdrant\.example:6333","authenticated":true\}$/,
  status: 0,
} as const;
const PYTHON = {
  listens: /Uvicorn running on/,
  ask: ["python", "-c", 'import urllib.request as r; print(r.urlopen("http://127.0.0.1:8000").read().decode())'],
  answer: /qdrant\.example:6333/,
  status: 0,
} as const;
/** The ending of images of a package without an executable, which Node.js starts. */
const FORMS = ["", "-without"] as const;
const SERVERS: readonly Server[] = [
  { image: "init", ...NODE },
  ...FORMS.flatMap((form): readonly Server[] => [
    ...["dockerfile", "alpine.dockerfile", "build-secret.dockerfile"].map((name) => ({
      image: `${name}${form}`,
      ...NODE,
    })),
    { image: `distroless.dockerfile${form}`, ...NODE, ask: ["/nodejs/bin/node", ...NODE.ask.slice(1)] },
    { image: `python${form}`, ...PYTHON },
  ]),
];

function serverCase(world: World, { image, listens, ask, answer, status }: Server): Case {
  return [
    `the image of ${image} serves with ESC's values, and ${ENGINE.name} stop ends it with status ${status}`,
    async () => {
      const container = await start({
        image: `sophia-places/${image}`,
        options: [`--env=ESC_ENV=${ENVIRONMENT}`, "--env=ESC_TOKEN"],
        env: { ESC_TOKEN: world.esc.token },
      });
      await container.seen(listens);
      const { stdout, stderr } = await container.exec(...ask);
      assert.equal(stderr, "");
      assert.match(stdout.trim(), answer);
      await engine(["stop", container.name]);
      assert.equal(await container.end(), status);
    },
  ];
}

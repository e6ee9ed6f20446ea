/** Each image with its own command: the server, its health check and its end. */
import assert from "node:assert/strict";
import { type Case, until } from "../report.ts";
import { docker, start } from "./engine.mts";
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
      await Promise.all(
        IMAGES.map(async (name) => {
          const container = await start({
            image: `sophia-places/${name}`,
            options: [`--env=ESC_ENV=${ENVIRONMENT}`, "--env=ESC_TOKEN", ...OFTEN, ...options],
            env: { ESC_TOKEN: world.esc.token },
          });
          const health = () => container.field("{{.State.Status}} {{.State.Health.Status}}");
          const reached = await until(`${name} is ${state}`, health, (shown) => shown === `running ${state}`);
          assert.equal(reached, `running ${state}`);
        }),
      );
    },
  ]);
  return [...states, ...SERVERS.map((server) => serverCase(world, server))];
}

interface Server {
  readonly image: string;
  readonly listens: RegExp;
  /** A command in the container that asks the server, and its output. */
  readonly ask: readonly string[];
  readonly answer: RegExp;
  /** The status after `docker stop`. */
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
    `the image of ${image} serves with ESC's values, and docker stop ends it with status ${status}`,
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
      await docker(["stop", container.name]);
      assert.equal(await container.end(), status);
    },
  ];
}

/** The health check of each image that has one. */
import assert from "node:assert/strict";
import { type Case, until } from "../report.ts";
import { start } from "./engine.mts";
import { ENVIRONMENT, type World } from "./world.mts";

const IMAGES = ["dockerfile", "alpine.dockerfile", "build-secret.dockerfile", "distroless.dockerfile"] as const;
/** The image has the command. Its own interval of 30 seconds is that of a service, not of a test. */
const OFTEN = ["--health-interval=1s", "--health-start-period=0s", "--health-retries=2"] as const;

export function healthCases(world: World): readonly Case[] {
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
  return states;
}

/** Both forms of sophia-run in the image of examples/docker/Dockerfile, and how the cases start a command by them. */
import type { ContainerSpec } from "./engine.mts";
import { ENVIRONMENT, type World } from "./world.mts";

export const APP = "sophia-places/dockerfile";

export interface Form {
  readonly name: "executable" | "package";
  /** The path in the image. */
  readonly path: string;
}

export const FORMS: readonly [executable: Form, npm: Form] = [
  { name: "executable", path: "/usr/local/bin/sophia-run" },
  { name: "package", path: "/app/node_modules/.bin/sophia-run" },
];

export interface Start {
  /** Options of `docker run`. */
  readonly options?: readonly string[];
  /** Options of sophia-run. */
  readonly sophia?: readonly string[];
  readonly command?: readonly string[];
}

/** A start with ESC's environment. The token is in the caller's environment. */
export function withEsc(
  world: World,
  form: Form,
  { options = [], sophia = [], command = SERVER }: Start,
): ContainerSpec {
  return {
    image: APP,
    options: [`--env=ESC_ENV=${ENVIRONMENT}`, "--env=ESC_TOKEN", `--entrypoint=${form.path}`, ...options],
    command: [...sophia, "--", ...command],
    env: { ESC_TOKEN: world.esc.token },
  };
}

/** A start without ESC and without a contract. */
export function plain(form: Form, { options = [], sophia = [], command = SERVER }: Start): ContainerSpec {
  return {
    image: APP,
    options: [`--entrypoint=${form.path}`, ...options],
    command: ["--no-contract", ...sophia, "--", ...command],
  };
}

/** The server of the example. */
const SERVER = ["node", "server.js"] as const;
export const LISTENS = /listening on port 3000 \(process (\d+)\)/;

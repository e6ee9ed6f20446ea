import { readFileSync } from "node:fs";
import { at } from "./at.ts";

/** What matters here of a devcontainer.json. */
export interface Devcontainer {
  readonly secrets: readonly string[];
  readonly remoteEnv: Readonly<Record<string, string>>;
  readonly postStartCommand: string;
}

/** Reads a devcontainer.json, whose comments stand on lines of their own. */
export function readDevcontainer(path: string): Devcontainer {
  const config: unknown = JSON.parse(readFileSync(path, "utf8").replaceAll(/^\s*\/\/.*$/gm, ""));
  const postStartCommand = at(config, "postStartCommand");
  if (typeof postStartCommand !== "string") throw new Error("postStartCommand is not a string");
  const remoteEnv = Object.entries(at(config, "remoteEnv") ?? {});
  return {
    secrets: Object.keys(at(config, "secrets") ?? {}),
    remoteEnv: Object.fromEntries(remoteEnv.map(([name, value]) => [name, String(value)])),
    postStartCommand,
  };
}

/** What a container gets its environment from. */
export interface Surroundings {
  /** The environment of the machine that the container runs on. */
  readonly local: Readonly<Record<string, string>>;
  /** The environment of the container itself. */
  readonly container: Readonly<Record<string, string>>;
  /** What Codespaces, or `devcontainer up --secrets-file`, hands over. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly workspace: string;
}

/**
 * The environment of lifecycle commands, as the reference implementation (the devcontainer CLI) makes it: the
 * container's, over it `remoteEnv` with its variables replaced, over that the secrets.
 */
export function lifecycleEnvironment({ remoteEnv }: Devcontainer, surroundings: Surroundings): Record<string, string> {
  const { local, container, secrets, workspace } = surroundings;
  const replaced = (text: string): string =>
    text
      .replaceAll(/\$\{localEnv:(\w+)\}/g, (_, name: string) => local[name] ?? "")
      .replaceAll(/\$\{containerEnv:(\w+)\}/g, (_, name: string) => container[name] ?? "")
      .replaceAll("${containerWorkspaceFolder}", workspace);
  const remote = Object.entries(remoteEnv).map(([name, value]) => [name, replaced(value)]);
  return { ...container, ...Object.fromEntries(remote), ...secrets };
}

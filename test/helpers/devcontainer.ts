/** Reads devcontainer.json, and computes the environment that its commands get. */
import { readFileSync } from "node:fs";
import { memberAt } from "./json-members.ts";

/** The members of a devcontainer.json that tests need. */
export interface Devcontainer {
  readonly secrets: readonly string[];
  readonly remoteEnv: Readonly<Record<string, string>>;
  readonly postStartCommand: string;
}

/** Reads a devcontainer.json. Its comments must be on lines of their own. */
export function readDevcontainer(path: string): Devcontainer {
  const config: unknown = JSON.parse(readFileSync(path, "utf8").replaceAll(/^\s*\/\/.*$/gm, ""));
  const postStartCommand = memberAt(config, "postStartCommand");
  if (typeof postStartCommand !== "string") throw new Error("postStartCommand is not a string");
  const remoteEnv = Object.entries(memberAt(config, "remoteEnv") ?? {});
  return {
    secrets: Object.keys(memberAt(config, "secrets") ?? {}),
    remoteEnv: Object.fromEntries(remoteEnv.map(([name, value]) => [name, String(value)])),
    postStartCommand,
  };
}

/** The sources of the environment in a container. */
export interface Surroundings {
  /** The environment of the machine that the container runs on. */
  readonly local: Readonly<Record<string, string>>;
  /** The environment of the container itself. */
  readonly container: Readonly<Record<string, string>>;
  /** The secrets of Codespaces, or of `devcontainer up --secrets-file`. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly workspace: string;
}

/**
 * Returns the environment of lifecycle commands as the reference implementation makes it (the devcontainer CLI). `remoteEnv`, in
 * which variables are replaced, overrides the environment of the container, and the secrets override both.
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

/**
 * gh's way to the broker: a socket, which its configuration names (`http_unix_socket`). The configuration is a copy, in a
 * folder of this run; what gh changes there is lost with it. The socket is in the same folder.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { GitAccess } from "../../../broker/git.ts";
import type { Environment } from "../../../core/model.ts";
import { makeRunFolder } from "../../../launch/spawn/secret-files.ts";
import { attempt } from "../../../system/errors.ts";

const CONFIG = "config.yml";
const SOCKET = "gh.sock";
const MAX_CONFIG_BYTES = 1024 * 1024;

export interface GhFolder {
  readonly folder: string;
  readonly socket: string;
  readonly remove: () => void;
}

/**
 * Makes the folder, without the socket.
 *
 * @param environment the program's @throws SophiaError (secret-files, 125) if it cannot be written
 */
export function makeGhFolder(environment: Environment): GhFolder {
  const runtimeDirectory = environment.get("XDG_RUNTIME_DIR");
  const socketIn = (folder: string): string => join(folder, SOCKET);
  const { folder, remove } = makeRunFolder(
    (path) => [{ name: CONFIG, content: withSocket(callersConfig(environment), socketIn(path)) }],
    runtimeDirectory,
  );
  return { folder, socket: socketIn(folder), remove };
}

/** Returns the variables of gh: its folder, and the dummy if it has no token of its own. */
export function ghVariables(
  accesses: readonly GitAccess[],
  { folder }: GhFolder,
  environment: Environment,
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = { GH_CONFIG_DIR: folder };
  for (const { host, dummy } of accesses) {
    const name = /(?:^github|\.ghe)\.com$/.test(host) ? "GH_TOKEN" : "GH_ENTERPRISE_TOKEN";
    if ((environment.get(name) ?? "") === "") variables[name] ??= dummy;
  }
  return variables;
}

/** Returns the text of the user's own configuration, as gh finds it; empty if there is none that can be read. */
function callersConfig(environment: Environment): string {
  const own = environment.get("GH_CONFIG_DIR") ?? "";
  const general = environment.get("XDG_CONFIG_HOME") ?? "";
  const folder =
    own !== "" ? own : general !== "" ? join(general, "gh") : join(environment.get("HOME") ?? "/", ".config/gh");
  return attempt(() => readText(join(folder, CONFIG))) ?? "";
}

function readText(path: string): string {
  // A FIFO would not open.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() && stat.size <= MAX_CONFIG_BYTES ? readFileSync(descriptor, "utf8") : "";
  } finally {
    closeSync(descriptor);
  }
}

/** @param config YAML, whose own setting of this name is replaced */
function withSocket(config: string, socket: string): string {
  const kept = config.split(/\r?\n/).filter((line) => !/^(?:["']?http_unix_socket["']?\s*:|---|\.\.\.)/.test(line));
  return [
    ...kept.filter((line, index) => line !== "" || index < kept.length - 1),
    `http_unix_socket: ${JSON.stringify(socket)}`,
    "",
  ].join("\n");
}

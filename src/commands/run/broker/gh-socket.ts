/**
 * gh's way to the broker: a socket, which its configuration names (`http_unix_socket`). The configuration is a copy, in a
 * folder of this run; what gh changes there is lost with it. The socket is in the same folder.
 */
import { join } from "node:path";
import { type Brokered, gitAccesses } from "../../../broker/broker-variables.ts";
import type { Context } from "../../../core/context.ts";
import type { Environment } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { makeRunFolder } from "../../../launch/secret-files.ts";
import { printLines } from "../../../output/stderr.ts";
import { readFound } from "../../../system/bounded-read.ts";
import { attempt } from "../../../system/errors.ts";

const CONFIG = "config.yml";
const SOCKET = "gh.sock";
const SETTING = "http_unix_socket";
const MAX_CONFIG_BYTES = 1024 * 1024;

export interface GhFolder {
  readonly folder: string;
  readonly socket: string;
  readonly remove: () => void;
}

/**
 * Makes the folder, without the socket. Warns of a configuration that is not used.
 *
 * @param environment the program's @throws SophiaError (secret-files, 125) if it cannot be written
 */
export async function makeGhFolder(environment: Environment, context: Context): Promise<GhFolder> {
  const runtimeDirectory = environment.get("XDG_RUNTIME_DIR");
  const socketIn = (folder: string): string => join(folder, SOCKET);
  const file = callersFile(environment);
  const config = attempt(() => readFound(file, { maxBytes: MAX_CONFIG_BYTES }).toString("utf8")) ?? "";
  const edit = hasLinesOfSettings(config) ? withLine : (await import("./gh-config.ts")).withSetting;
  let isUsed = true;
  const { folder, remove } = makeRunFolder((path) => {
    const edited = edit(config, SETTING, socketIn(path));
    isUsed = edited !== undefined;
    return [{ name: CONFIG, content: edited ?? withLine("", SETTING, socketIn(path)) }];
  }, runtimeDirectory);
  if (!isUsed) {
    printLines(context, [`warning: with --broker gh ignores ${printable(file)}: it is no YAML of settings`]);
  }
  return { folder, socket: socketIn(folder), remove };
}

/**
 * Returns the variables of gh: its folder, and the dummy if it has no token of its own. None if its own one is not brokered
 * here (`--broker-except`, an outer sophia-run): the socket takes no other token.
 *
 * @param environment the program's, with dummies
 */
export function ghVariables(
  keys: readonly Brokered[],
  { folder }: GhFolder,
  environment: Environment,
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = { GH_CONFIG_DIR: folder };
  for (const { host, dummy } of gitAccesses(keys)) {
    const name = /(?:^github|\.ghe)\.com$/.test(host) ? "GH_TOKEN" : "GH_ENTERPRISE_TOKEN";
    const own = environment.get(name) ?? "";
    if (own === "") variables[name] ??= dummy;
    else if (keys.every(({ route }) => route.dummy !== own)) return {};
  }
  return variables;
}

/** Returns the path of the user's own configuration, as gh finds it. */
function callersFile(environment: Environment): string {
  const own = environment.get("GH_CONFIG_DIR") ?? "";
  const general = environment.get("XDG_CONFIG_HOME") ?? "";
  const folder =
    own !== "" ? own : general !== "" ? join(general, "gh") : join(environment.get("HOME") ?? "/", ".config/gh");
  return join(folder, CONFIG);
}

/** Returns true if each line in the first column is a setting of one mapping, as gh writes it. */
function hasLinesOfSettings(config: string): boolean {
  const lines = config.split(/\r?\n/).filter((line) => !/^(?:\s|#|$)/.test(line));
  return lines.every((line, index) => /^[\w-]+:(?:\s|$)/.test(line) || (line === "---" && index === 0));
}

/** @param config YAML, whose own setting of this name is replaced */
function withLine(config: string, name: string, value: string): string {
  const kept = config.split(/\r?\n/).filter((line) => !line.startsWith(`${name}:`) && line !== "---");
  return [
    ...kept.filter((line, index) => line !== "" || index < kept.length - 1),
    `${name}: ${JSON.stringify(value)}`,
    "",
  ].join("\n");
}

/**
 * Makes gh, the command-line program of GitHub, send its requests through the broker (`--broker`). gh reads no variable with an
 * address, but its configuration may name a Unix socket. So gh gets a copy of the user's configuration with one more line:
 *
 *     http_unix_socket: "/dev/shm/sophia-run-…/gh.sock"
 *
 * The copy and the socket are in a private folder of this run. Settings that gh writes into the copy are lost at the end of the
 * run.
 */
import { join } from "node:path";
import type { Broker } from "../../../broker/broker-server.ts";
import { type BrokeredKey, listGitAccesses } from "../../../broker/broker-variables.ts";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Environment } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import { makeRunFolder } from "../../../launch/secret-files.ts";
import { printLines } from "../../../output/stderr.ts";
import { readFoundFile } from "../../../system/bounded-read.ts";
import { attempt, systemErrorCode } from "../../../system/errors.ts";

const CONFIG_FILE = "config.yml";
const SOCKET_FILE = "gh.sock";
const SOCKET_SETTING = "http_unix_socket";
const MAX_CONFIG_BYTES = 1024 * 1024;

/** The open socket at which the broker admits the requests of gh. */
export interface GhBroker {
  /** Returns the variables by which gh finds the socket; none if no GitHub token is brokered. @param environment with dummies */
  readonly variables: (keys: readonly BrokeredKey[], environment: Environment) => Readonly<Record<string, string>>;
  /** Removes the folder with the configuration and the socket. */
  readonly remove: () => void;
}

/**
 * Opens the socket. If that fails, this closes the server.
 *
 * @param environment the program's variables
 * @throws SophiaError (broker, secret-files; 125)
 */
export async function openGhBroker(
  server: Pick<Broker, "openSocket" | "close">,
  environment: Environment,
  context: Context,
): Promise<GhBroker> {
  const { folder, socket, remove } = await createGhFolder(environment, context);
  try {
    await server.openSocket(socket);
  } catch (error) {
    remove();
    server.close();
    throw new SophiaError({
      code: "broker",
      message: `--broker cannot open the socket ${printable(socket)} (${systemErrorCode(error) ?? "UNKNOWN"})`,
      hint: "set TMPDIR to a folder with a short path that may be written, or leave --broker out",
    });
  }
  return {
    variables: (keys, environmentWithDummies) => createGhVariables(keys, folder, environmentWithDummies),
    remove,
  };
}

interface GhFolder {
  readonly folder: string;
  /** The path of the socket, which does not exist yet. */
  readonly socket: string;
  readonly remove: () => void;
}

/**
 * Copies the user's configuration. One that is missing or cannot be read counts as empty; one that is no YAML is ignored, with a
 * warning.
 *
 * @throws SophiaError (secret-files, 125)
 */
async function createGhFolder(environment: Environment, context: Context): Promise<GhFolder> {
  const userFile = findUserConfig(environment);
  const userConfig = attempt(() => readFoundFile(userFile, { maxBytes: MAX_CONFIG_BYTES }).toString("utf8")) ?? "";
  // A configuration that gh itself has written needs no YAML parser, which takes long to load.
  const changeSetting = hasOneSettingPerLine(userConfig)
    ? changeSettingLine
    : (await import("./gh-config.ts")).changeSetting;
  let isUserConfigUsed = true;
  const { folder, remove } = makeRunFolder((path) => {
    const socket = join(path, SOCKET_FILE);
    const content = changeSetting(userConfig, SOCKET_SETTING, socket);
    isUserConfigUsed = content !== undefined;
    return [{ name: CONFIG_FILE, content: content ?? changeSettingLine("", SOCKET_SETTING, socket) }];
  }, environment.get("XDG_RUNTIME_DIR"));
  if (!isUserConfigUsed) {
    printLines(context, [`warning: with --broker gh ignores ${printable(userFile)}: it is no YAML of settings`]);
  }
  return { folder, socket: join(folder, SOCKET_FILE), remove };
}

/**
 * Returns the variable with gh's folder, and a dummy for gh if the program has no token for it. The socket accepts only dummies of
 * this run, so there are no variables if the program has another token (by `--broker-except`, or from an outer sophia-run).
 */
function createGhVariables(
  keys: readonly BrokeredKey[],
  folder: string,
  environment: Environment,
): Readonly<Record<string, string>> {
  const accesses = listGitAccesses(keys);
  if (accesses.length === 0) return {};
  const variables: Record<string, string> = { GH_CONFIG_DIR: folder };
  for (const { host, dummy } of accesses) {
    const tokenVariable = /(?:^github|\.ghe)\.com$/.test(host) ? "GH_TOKEN" : "GH_ENTERPRISE_TOKEN";
    const programToken = environment.get(tokenVariable) ?? "";
    if (programToken === "") variables[tokenVariable] ??= dummy;
    else if (keys.every(({ route }) => route.dummy !== programToken)) return {};
  }
  return variables;
}

/** Returns the path of the user's configuration, which gh would read. */
function findUserConfig(environment: Environment): string {
  const ghFolder = environment.get("GH_CONFIG_DIR") ?? "";
  if (ghFolder !== "") return join(ghFolder, CONFIG_FILE);
  const configFolder = environment.get("XDG_CONFIG_HOME") ?? "";
  if (configFolder !== "") return join(configFolder, "gh", CONFIG_FILE);
  return join(environment.get("HOME") ?? "/", ".config/gh", CONFIG_FILE);
}

/** Returns true if each line that is not indented is a setting, as in gh's own files: `editor: vim`. */
function hasOneSettingPerLine(config: string): boolean {
  const lines = config.split(/\r?\n/).filter((line) => !/^(?:\s|#|$)/.test(line));
  return lines.every((line, index) => /^[\w-]+:(?:\s|$)/.test(line) || (line === "---" && index === 0));
}

/**
 * Replaces the line of a setting in a configuration with one setting per line, or adds a line at the end. A string of JSON is a
 * string of YAML, too.
 */
function changeSettingLine(config: string, name: string, value: string): string {
  const otherLines = config.split(/\r?\n/).filter((line) => !line.startsWith(`${name}:`) && line !== "---");
  const withoutLastBreak = otherLines.at(-1) === "" ? otherLines.slice(0, -1) : otherLines;
  return [...withoutLastBreak, `${name}: ${JSON.stringify(value)}`, ""].join("\n");
}

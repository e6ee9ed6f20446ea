/**
 * Starts sophia-run with --broker on a host with a container: two network namespaces, and a service that only the host can reach.
 */
import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sophiaRun } from "./program.ts";
import { type ProcessResult, folder } from "./sophia.ts";

const SCRIPT = join(import.meta.dirname, "two-networks.sh");

const isolation = ([[], ["--user", "--map-root-user"]] as const)
  .map((user) => ["unshare", "--net", ...user, "sh", SCRIPT] as const)
  .find(([file, ...args]) => spawnSync(file, [...args, "true"]).status === 0);

/** The reason why the networks cannot be created; undefined if they can. */
export const noNetworks: string | undefined =
  isolation === undefined ? "needs network namespaces, and iproute2" : undefined;

/**
 * A program that starts a service on the loopback interface of the host, runs a command, and writes the requests that it received.
 */
const SERVICE = `
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
const seen = [];
const service = createServer((request, response) => {
  request.resume().on("end", () => {
    seen.push(request.method + " " + request.url + " " + request.headers.authorization);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ object: "list", data: [{ id: "served", object: "model" }] }));
  });
});
service.listen(0, "127.0.0.1", () => {
  const env = { ...process.env, OPENAI_BASE_URL: "http://127.0.0.1:" + service.address().port + "/v1" };
  const [command, ...args] = process.argv.slice(2);
  spawn(command, args, { stdio: "inherit", env }).on("close", (status) => {
    writeFileSync("seen.json", JSON.stringify(seen));
    process.exit(status);
  });
});
`;

/** The real key, which sophia-run holds. */
export const NETWORK_KEY = "sk-real-0123456789abcdefghij";

/** The result of a start in the networks. */
export interface NetworkedProcess extends ProcessResult {
  /** The method, target and credentials of each request that reached the service. */
  readonly seen: readonly string[];
}

/**
 * Runs a script of the shell as the program of `sophia-run --broker`, on the host 10.77.0.1. In the script, `$CONTAINER` is the
 * prefix of a command in the container.
 */
export async function startInNetworks(
  options: readonly string[],
  script: string,
  { files = {}, env = {} }: { files?: Readonly<Record<string, string>>; env?: Readonly<Record<string, string>> } = {},
): Promise<NetworkedProcess> {
  const contract = JSON.stringify({ variables: { OPENAI_API_KEY: {} } });
  const cwd = folder({ "sophia.contract.json": contract, "service.mjs": SERVICE, ...files });
  const [file, ...prefix] = isolation ?? ["false"];
  const command = [...sophiaRun, "--broker", ...options, "--", "sh", "-c", script];
  const environment = { PATH: process.env["PATH"], HOME: cwd, OPENAI_API_KEY: NETWORK_KEY, ...env };
  const ended = await new Promise<ProcessResult>((resolve) => {
    const child = execFile(
      file,
      [...prefix, process.execPath, "service.mjs", ...command],
      { cwd, env: environment, timeout: 50_000 },
      (_, stdout, stderr) => resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
  const seen: unknown = JSON.parse(readFileSync(join(cwd, "seen.json"), "utf8"));
  return { ...ended, seen: Array.isArray(seen) ? seen.map(String) : [] };
}

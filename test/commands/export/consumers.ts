/**
 * Shells, libraries and tools that read what `export` writes. The tests compare what such a consumer finds with what
 * was exported.
 */
import { execFileSync, spawn, type ExecFileSyncOptions } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { parse } from "dotenv";
import { parseDotenv } from "../../../src/sources/dotenv/index.ts";
import { readPairs } from "../../helpers/actions/files.ts";

/** Programs that read what `export` writes: each gives the variables that it found in the text. */
export type Consumer = (text: string) => Promise<Readonly<Record<string, string | undefined>>>;

const PATH = process.env["PATH"];
// With a socket for standard input, such as the default pipe, bash takes itself to be run by rshd and reads .bashrc.
const OPTIONS = { env: { PATH }, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 } satisfies ExecFileSyncOptions;

function inFile<T>(text: string, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-export-"));
  try {
    const path = join(folder, "exported");
    writeFileSync(path, text);
    return use(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Sources the text in a shell, or evaluates it, and looks at what a program gets that the shell starts. */
export function shellConsumer(command: readonly string[], how: "source" | "eval"): Consumer {
  const [program = "", ...args] = command;
  const script = how === "source" ? '. "$1" && exec env -0' : 'eval "$(cat "$1")" && exec env -0';
  return async (text) =>
    inFile(text, (path) => parseNulSeparated(execFileSync(program, [...args, "-c", script, "sh", path], OPTIONS)));
}

/** As a user of fish reads it: `sophia-run export --format fish | source`. */
export const fishConsumer: Consumer = async (text) =>
  inFile(text, (path) =>
    parseNulSeparated(execFileSync("fish", ["--no-config", "-c", "source <$argv[1] && exec env -0", path], OPTIONS)),
  );

function parseNulSeparated(bytes: Buffer): Record<string, string> {
  return Object.fromEntries(
    bytes
      .toString("utf8")
      .split("\0")
      .filter((entry) => entry !== "")
      .map(split),
  );
}

function split(entry: string): readonly [string, string] {
  return [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)];
}

/** A flat JSON object of texts. */
export function flatObject(text: string | Buffer): Record<string, string> {
  const value: unknown = JSON.parse(text.toString());
  if (typeof value !== "object" || value === null) throw new Error("no object");
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}

/** The parser of sophia-run, which must read what its own export writes. */
export const ownParser: Consumer = async (text) =>
  Object.fromEntries((await parseDotenv(text, ".env")).variables.map(({ name, value }) => [name, value]));

export const dotenvPackage: Consumer = async (text) => parse(text);
export const nodeParseEnv: Consumer = async (text) => parseEnv(text);

export const nodeEnvFile: Consumer = async (text) =>
  inFile(text, (path) =>
    flatObject(
      execFileSync(
        process.execPath,
        [`--env-file=${path}`, "-e", "process.stdout.write(JSON.stringify(process.env))"],
        OPTIONS,
      ),
    ),
  );

function pythonConsumer(script: string): Consumer {
  return async (text) => inFile(text, (path) => flatObject(execFileSync("python3", ["-c", script, path], OPTIONS)));
}

export const pythonDotenv = pythonConsumer(
  "import json, sys; from dotenv import dotenv_values; print(json.dumps(dict(dotenv_values(sys.argv[1], encoding='utf-8'))))",
);

export const pythonShlex = pythonConsumer(
  "import json, shlex, sys; text = open(sys.argv[1], encoding='utf-8', newline='').read(); " +
    "print(json.dumps(dict(word.split('=', 1) for word in shlex.split(text) if word != 'export')))",
);

/** The real Docker client, in front of a daemon that only takes down which environment a container is to have. */
export const dockerClient: Consumer = async (text) => {
  let created: ((body: string) => void) | undefined;
  const body = new Promise<string>((resolve) => (created = resolve));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.setHeader("Api-Version", "1.41");
      if (request.url?.includes("/containers/create") !== true) {
        response.end("OK");
        return;
      }
      created?.(Buffer.concat(chunks).toString("utf8"));
      response.writeHead(201, { "Content-Type": "application/json" }).end('{"Id":"0123456789ab","Warnings":[]}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server listens at no port");
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-docker-"));
  try {
    const path = join(folder, "exported");
    writeFileSync(path, text);
    const client = spawn("docker", ["create", "--pull=never", "--env-file", path, "image"], {
      env: { PATH, HOME: folder, DOCKER_HOST: `tcp://127.0.0.1:${address.port}` },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const stderrChunks: Buffer[] = [];
    client.stderr.on("data", (chunk: Buffer) => stderrChunks.push(chunk));
    const failed = new Promise<never>((_, reject) => {
      client.once("close", (status) => {
        if (status !== 0) reject(new Error(`docker: ${Buffer.concat(stderrChunks).toString("utf8")}`));
      });
    });
    const container: unknown = JSON.parse(await Promise.race([body, failed]));
    const hasEnvironment = typeof container === "object" && container !== null && "Env" in container;
    if (!hasEnvironment || !Array.isArray(container.Env)) throw new Error("the container has no environment");
    return Object.fromEntries(container.Env.map(String).map((entry) => split(entry)));
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** GITHUB_ENV as the runner reads it. */
export const githubRunner: Consumer = async (text) => Object.fromEntries(readPairs(text));

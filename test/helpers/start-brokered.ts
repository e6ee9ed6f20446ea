/**
 * Starts sophia-run with the broker and `--watch`, between a service that accepts one key and an ESC environment that has the key.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { startUpstream, type Upstream } from "../broker/upstream.ts";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { folder, sophiaRun } from "./sophia.ts";
import { startProcess, type StartedProcess } from "./start-process.ts";

export const ENVIRONMENT = "acme/app/dev";
const CONTRACT = JSON.stringify({ variables: { OPENAI_API_KEY: {}, ANTHROPIC_API_KEY: {}, PORT: { secret: false } } });

/**
 * A program that sends a request for each SIGUSR2, with the body of the previous answer in its path, and prints the answer. On
 * SIGTERM it ends after the request that is in progress. With LAZY it ends only on SIGHUP.
 */
const PROGRAM = `
  const { OPENAI_API_KEY: key, OPENAI_BASE_URL: base, PORT = "", LAZY = "" } = process.env;
  const say = (text) => require("node:fs").writeSync(1, text + "\\n");
  let [calls, body, last] = [0, "none", Promise.resolve()];
  const call = async () => {
    const headers = { authorization: "Bearer " + key };
    const answer = await fetch(base + "/models/" + body, { headers });
    body = await answer.text();
    say(["call", ++calls, answer.status, String(answer.headers.get("x-should-retry")), body].join(" "));
  };
  process.on("SIGUSR2", () => { last = last.then(call).catch((error) => say("failed " + error)); });
  process.on("SIGTERM", () => { say("stopping"); if (LAZY === "") last.then(() => process.exit(0)); });
  process.on("SIGHUP", () => process.exit(0));
  setInterval(() => {}, 60_000);
  say("run " + process.pid + " " + PORT);
`;

/** The service, the ESC server and the folder of the program. */
export interface BrokeredWorld {
  readonly server: EscServer;
  readonly upstream: Upstream;
  /** Sets the values of ESC. */
  readonly setValues: (values: Readonly<Record<string, string>>, port?: string) => void;
  /** Makes the service accept only this key, and answer with it. */
  readonly acceptKey: (key: string) => void;
  /** Returns the keys that reached the service. */
  readonly receivedKeys: () => readonly string[];
  /** Returns the records of the audit log, which the test has put into the file `log`. */
  readonly readLog: () => readonly Record<string, unknown>[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the service and the ESC server. @param answer answers requests with the accepted key; by default with that key */
export async function startBrokeredWorld(
  answer?: (...call: Parameters<Parameters<typeof startUpstream>[0]>) => void,
  access: "open" | "read" = "read",
): Promise<BrokeredWorld> {
  const server = await startEscServer({ tellsRevision: true });
  onTestFinished(() => server.close());
  const { login = "demo-user" } = server.user;
  const token = server.addToken({ owner: { kind: "personal", login }, access });
  let accepted = "";
  const keyIn = (headers: Upstream["requests"][number]["headers"]): string =>
    headers.authorization?.replace("Bearer ", "") ?? String(headers["x-api-key"]);
  const upstream = await startUpstream((request, response, received) => {
    if (keyIn(received.headers) !== accepted) {
      request.resume();
      response.writeHead(401).end("refused");
    } else if (answer === undefined) response.end(accepted);
    else answer(request, response, received);
  });
  const cwd = folder({ "sophia.contract.json": CONTRACT, "program.cjs": PROGRAM });
  return {
    server,
    upstream,
    setValues: (values, port) => {
      const keys = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, secret(value)]));
      server.environment(ENVIRONMENT, { values: { ...keys, ...(port === undefined ? {} : { PORT: port }) } });
    },
    acceptKey: (key) => {
      accepted = key;
    },
    receivedKeys: () => upstream.requests.map(({ headers }) => keyIn(headers)),
    readLog: () => {
      const lines = readFileSync(join(cwd, "log"), "utf8").trimEnd().split("\n");
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each line of the log is an object
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    cwd,
    env: {
      PULUMI_BACKEND_URL: server.url,
      ESC_TOKEN: token.value,
      ESC_ENV: ENVIRONMENT,
      PATH: process.env["PATH"] ?? "",
      // The caller has set these addresses of a gateway.
      OPENAI_BASE_URL: `${upstream.origin}/v1`,
      ANTHROPIC_BASE_URL: upstream.origin,
    },
  };
}

/** Starts the program with `--broker` and `--watch`. */
export function startBrokered(
  { cwd, env }: Pick<BrokeredWorld, "cwd" | "env">,
  options: readonly string[] = [],
  program: readonly string[] = [process.execPath, "program.cjs"],
  more: Readonly<Record<string, string>> = {},
): StartedProcess {
  const broker = ["--broker", "--watch", "--watch-every", "1s"];
  return startProcess([...sophiaRun, ...broker, ...options, "--", ...program], { cwd, env: { ...env, ...more } });
}

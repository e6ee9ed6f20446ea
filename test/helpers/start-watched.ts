/** Starts sophia-run with `--watch` beside an ESC server, whose values the test changes. */
import { onTestFinished } from "vitest";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { folder, sophiaRun } from "./sophia.ts";
import { startProcess, type StartedProcess } from "./start-process.ts";

const CONTRACT = JSON.stringify({ variables: { KEY: { required: true, secret: true } } });

/** A program that prints its values at its start. On SIGTERM it prints a line and ends with 0. With LAZY it ends only on SIGUSR2. */
const PROGRAM = `
  const { KEY = "", BASE = "", LAZY = "" } = process.env;
  const say = (text) => require("node:fs").writeSync(1, text + "\\n");
  process.on("SIGTERM", () => { say("stopping " + process.pid); if (LAZY === "") process.exit(0); });
  process.on("SIGUSR2", () => process.exit(7));
  setInterval(() => {}, 60_000);
  say("run " + process.pid + " " + KEY + " " + BASE);
`;

/** The ESC server, and the folder of the program. */
export interface WatchedWorld {
  readonly server: EscServer;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Sets the secret KEY. */
  readonly setKey: (value: string) => void;
  /** Sets the imported value BASE. */
  readonly setBase: (value: string) => void;
}

/** Starts a server with an ESC environment that has the secret KEY, and imports an environment with the public value BASE. */
export async function startWatchedWorld(access: "open" | "read" = "read"): Promise<WatchedWorld> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const { login = "demo-user" } = server.user;
  const token = server.addToken({ owner: { kind: "personal", login }, access });
  const setBase = (value: string): void => void server.environment("acme/app/base", { values: { BASE: value } });
  const setKey = (value: string): void =>
    void server.environment("acme/app/dev", { values: { KEY: secret(value) }, imports: ["app/base"] });
  setBase("b1");
  setKey("one");
  return {
    server,
    setKey,
    setBase,
    cwd: folder({ "sophia.contract.json": CONTRACT, "program.cjs": PROGRAM }),
    env: {
      PULUMI_BACKEND_URL: server.url,
      ESC_TOKEN: token.value,
      ESC_ENV: "acme/app/dev",
      PATH: process.env["PATH"] ?? "",
    },
  };
}

/** The options of `startWatched`. */
export const WATCH = ["--watch", "--watch-every", "1s"];

/** Starts the program by sophia-run with `--watch`. */
export function startWatched(
  { cwd, env }: WatchedWorld,
  options: readonly string[] = [],
  program: readonly string[] = [process.execPath, "program.cjs"],
  more: Readonly<Record<string, string>> = {},
): StartedProcess {
  return startProcess([...sophiaRun, ...WATCH, ...options, "--", ...program], { cwd, env: { ...env, ...more } });
}

/** Waits until the program runs with a value of KEY. @returns its process ID */
export async function waitForRun({ waitForStdout }: StartedProcess, key: string): Promise<number> {
  return Number((await waitForStdout(new RegExp(`^run (\\d+) ${key} `, "m")))[1]);
}

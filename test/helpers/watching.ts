import { onTestFinished } from "vitest";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { folder, sophiaRun } from "./sophia.ts";
import { start, type Started } from "./started.ts";

const CONTRACT = JSON.stringify({ variables: { KEY: { required: true, secret: true } } });

/** Says what it was started with. On SIGTERM it says so and ends with 0, or on SIGUSR2 alone where LAZY is set. */
const PROGRAM = `
  const { KEY = "", BASE = "", LAZY = "" } = process.env;
  const say = (text) => require("node:fs").writeSync(1, text + "\\n");
  process.on("SIGTERM", () => { say("stopping " + process.pid); if (LAZY === "") process.exit(0); });
  process.on("SIGUSR2", () => process.exit(7));
  setInterval(() => {}, 60_000);
  say("run " + process.pid + " " + KEY + " " + BASE);
`;

export interface World {
  readonly server: EscServer;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Sets the secret. */
  readonly change: (value: string) => void;
  readonly base: (value: string) => void;
}

/** An ESC environment with a secret, KEY, that imports another with a public value, BASE. */
export async function world(access: "open" | "read" = "read"): Promise<World> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const { login = "demo-user" } = server.user;
  const token = server.addToken({ owner: { kind: "personal", login }, access });
  const base = (value: string): void => void server.environment("acme/app/base", { values: { BASE: value } });
  const change = (value: string): void =>
    void server.environment("acme/app/dev", { values: { KEY: secret(value) }, imports: ["app/base"] });
  base("b1");
  change("one");
  return {
    server,
    change,
    base,
    cwd: folder({ "sophia.contract.json": CONTRACT, "program.cjs": PROGRAM }),
    env: {
      PULUMI_BACKEND_URL: server.url,
      ESC_TOKEN: token.value,
      ESC_ENV: "acme/app/dev",
      PATH: process.env["PATH"] ?? "",
    },
  };
}

export const WATCH = ["--watch", "--watch-every", "1s"];

/** sophia-run with `--watch` before a program. */
export function watching(
  { cwd, env }: World,
  options: readonly string[] = [],
  program: readonly string[] = [process.execPath, "program.cjs"],
  more: Readonly<Record<string, string>> = {},
): Started {
  return start([...sophiaRun, ...WATCH, ...options, "--", ...program], { cwd, env: { ...env, ...more } });
}

/** Its process, once it says that it runs with this value. */
export async function running({ seen }: Started, key: string): Promise<number> {
  return Number((await seen(new RegExp(`^run (\\d+) ${key} `, "m")))[1]);
}

/** A real PostgreSQL server for tests, started as a user without rights in a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { noNobody } from "./nobody.ts";

/** The folder of PostgreSQL's programs. Debian does not put it on the PATH. */
const programs = (process.env["PATH"] ?? "")
  .split(delimiter)
  .concat(foldersOfDebian())
  .find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));

/** Returns the folders of Debian's packages, the newest version first. */
function foldersOfDebian(): readonly string[] {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).toSorted((one, other) => Number(other) - Number(one));
  return versions.map((version) => join(root, version, "bin"));
}

/** The reason why tests that need a PostgreSQL server cannot run; undefined if they can. */
export const noPostgres: string | undefined =
  programs === undefined
    ? "needs PostgreSQL's server (Debian: postgresql)"
    : process.geteuid?.() === 0
      ? noNobody
      : undefined;

/** A running server. */
export interface RealPostgres {
  readonly port: number;
  /** The folder of its socket. */
  readonly socket: string;
  stop(): Promise<void>;
}

export interface RealPostgresOptions {
  /** The commands that run before the server accepts connections. Each is one line. */
  readonly sql: readonly string[];
  /** Lines of pg_hba.conf. */
  readonly access: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string };
}

/** PostgreSQL cannot let the kernel choose a port. This one is below those that the kernel chooses (ip_local_port_range). */
const PORT = 10_000 + (process.pid % 20_000);

/** Starts a server on all addresses. Resolves when it accepts connections. */
export async function startRealPostgres({ sql, access, tls }: RealPostgresOptions): Promise<RealPostgres> {
  const place = mkdtempSync(join(tmpdir(), "sophia-run-postgres-"));
  const data = join(place, "data");
  giveToPostgres(place);
  const environment = { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };
  const run = (name: string, args: readonly string[], input = ""): void => {
    const [file, ...all] = asUser(name, args);
    execFileSync(file, all, { cwd: place, env: environment, input, stdio: ["pipe", "ignore", "pipe"] });
  };
  run("initdb", ["--pgdata", data, "--username=owner", "--auth=trust", "--encoding=UTF8", "--no-sync"]);
  // In single-user mode each line is a command.
  run("postgres", ["--single", "-D", data, "-c", "fsync=off", "postgres"], `${sql.join("\n")}\n`);
  const files = { "server.pem": tls.cert, "key.pem": tls.key, "pg_hba.conf": `${access.join("\n")}\n` };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(data, name), content, { mode: 0o600 });
    giveToPostgres(join(data, name));
  }
  const settings = [
    ["listen_addresses", "*"],
    ["unix_socket_directories", place],
    ["ssl", "on"],
    ["ssl_cert_file", "server.pem"],
    ["ssl_key_file", "key.pem"],
    ["fsync", "off"],
  ].flatMap(([name = "", value = ""]) => ["-c", `${name}=${value}`]);
  const [file, ...args] = asUser("postgres", ["-D", data, "-p", String(PORT), ...settings]);
  const child = spawn(file, args, { cwd: place, env: environment, stdio: ["ignore", "ignore", "pipe"] });
  await waitUntilAccepting(child);
  return {
    port: PORT,
    socket: place,
    stop: async () => {
      // SIGQUIT ends the server immediately, even if clients are connected.
      child.kill("SIGQUIT");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      rmSync(place, { recursive: true, force: true });
    },
  };
}

/** Returns the command of a program of PostgreSQL, which refuses to run as root. */
function asUser(name: string, args: readonly string[]): readonly [string, ...string[]] {
  const file = join(programs ?? "", name);
  if (process.geteuid?.() !== 0) return [file, ...args];
  return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", file, ...args];
}

function giveToPostgres(path: string): void {
  if (process.geteuid?.() === 0) execFileSync("chown", ["65534:65534", path]);
}

/** Waits until the server accepts connections. Rejects with its messages if it ends before. */
async function waitUntilAccepting(child: ChildProcess): Promise<void> {
  let messages = "";
  await new Promise<void>((resolve, reject) => {
    child.once("exit", () => reject(new Error(messages)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      messages += text;
      if (messages.includes("database system is ready to accept connections")) resolve();
    });
  });
}

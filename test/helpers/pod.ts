import { execFileSync, spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Container, findIsolation, startContainer } from "./container.ts";
import { folder } from "./sophia.ts";

const root = join(import.meta.dirname, "../..");
const isolation = findIsolation();
const prefix = "prefix" in isolation ? isolation.prefix : (["false"] as const);
/** Namespaces are made by somebody who is not root. */
const rootless = prefix.includes("--user");

/** Why no container can be made here; undefined where one can. */
export const noContainers: string | undefined =
  "reason" in isolation ? `needs PID, mount and network namespaces: ${isolation.reason}` : undefined;

/** Sets the flag IFF_UP (netdevice(7)) of the only interface that a new network namespace has, and becomes its command. */
const WITH_LOOPBACK = `import fcntl, os, socket, struct, sys
with socket.socket() as any: fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])`;

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly access?: "ro" | "rw";
}

export interface ContainerOptions {
  readonly base: readonly Mount[];
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: number;
  readonly workdir: string;
  readonly mounts?: readonly Mount[];
  /** That of the root; what is mounted has its own. Read-only by default. */
  readonly access?: "ro" | "rw";
}

interface PodContainer extends Container {
  /** Runs a command in there to its end, as health checks and `docker exec` do. */
  readonly exec: (command: readonly string[], env?: Readonly<Record<string, string>>) => SpawnSyncReturns<string>;
}

/** A network namespace that containers share, as those of a Kubernetes pod do, with an ESC server on its loopback. */
export interface Pod {
  readonly url: string;
  readonly token: string;
  /** The ESC environment that it has. */
  readonly environment: string;
  readonly container: (options: ContainerOptions) => PodContainer;
  /** @returns what clients did against the rules of the API, a line each */
  readonly close: () => Promise<string>;
}

/** Starts the server of `test/esc-server/main.ts`, which trusts the given ID token. */
export async function startPod(idToken: string): Promise<Pod> {
  const user = rootless ? ["--user", "--map-root-user"] : [];
  const main = [process.execPath, "--import", "tsx", "test/esc-server/main.ts", "--id-token", idToken];
  const server = spawn("unshare", [...user, "--net", "python3", "-c", WITH_LOOPBACK, ...main], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  server.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = new Promise<string>((resolve) => void server.once("close", () => resolve(errors)));
  const line = new Promise<string>((resolve) => void server.stdout.setEncoding("utf8").once("data", resolve));
  const first = await Promise.race([line, ended.then((text) => Promise.reject(new Error(text)))]);
  const { url, token, environment } = answerOf(first);
  // unshare and Python have become the server: its namespaces are those of this process.
  const enter = (...namespaces: readonly string[]) =>
    ["nsenter", ...(rootless ? ["--user", "--preserve-credentials"] : []), ...namespaces] as const;
  return {
    url,
    token,
    environment,
    container(options) {
      const place = makeRoot([...options.base, ...(options.mounts ?? [])]);
      const script = join(import.meta.dirname, "minimal-root.sh");
      const words = ["sh", script, place, options.access ?? "ro", options.workdir];
      const identity = `${rootless && options.user !== 0 ? "mapped:" : ""}${options.user}`;
      const joined = [...enter(`--target=${server.pid}`, "--net"), "unshare", "--mount", ...NAMESPACES] as const;
      const [file, ...rest] = joined;
      const container = startContainer([file, ...rest], [...words, identity, ...options.command], {
        cwd: place,
        env: options.env,
      });
      return {
        ...container,
        exec(command, env = {}) {
          const inner = [`--target=${container.init()}`, "--mount", "--pid", "--net", "--root", "--wd"];
          // Without root it is the root of the user namespace that does it, which may enter the container's.
          const as = rootless ? [] : [`--setuid=${options.user}`, `--setgid=${options.user}`];
          const outer = rootless ? enter(`--target=${server.pid}`) : [];
          const [program = "", ...args] = [...outer, "nsenter", ...inner, ...as, "--", ...command];
          return spawnSync(program, args, {
            env: { ...options.env, ...env },
            encoding: "utf8",
            timeout: 10_000,
          });
        },
      };
    },
    close() {
      server.kill("SIGTERM");
      return ended;
    },
  };
}

const NAMESPACES = ["--pid", "--fork", "--kill-child"] as const;
const DEVICES = ["null", "zero", "urandom", "random"] as const;
const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib64"] as const;
const NODE = { source: process.execPath, target: "/nodejs/bin/node" } as const;

/** This machine's programs and libraries, with the Node.js that runs the tests in `/nodejs/bin`. */
export function debianBase(): readonly Mount[] {
  return [...SYSTEM.filter((path) => existsSync(path)).map((path) => ({ source: path, target: path })), NODE];
}

/** Node.js and the libraries that it needs, and nothing else: no shell, no env. */
export function distrolessBase(): readonly Mount[] {
  const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).match(/\/\S+(?= \(0x)/g) ?? [];
  return [...libraries.map((path) => ({ source: path, target: path })), NODE];
}

/** An empty folder with a place for each mount. Links to folders of the system stay links. */
function makeRoot(mounts: readonly Mount[]): string {
  const outside = folder();
  const place = join(outside, "root");
  for (const name of ["proc", "tmp", "dev", "etc"]) mkdirSync(join(place, name), { recursive: true });
  writeFileSync(join(place, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n");
  const lines: string[] = [];
  const devices = DEVICES.map((name) => ({ source: `/dev/${name}`, target: `/dev/${name}`, access: "rw" as const }));
  for (const { source, target, access = "ro" } of [...devices, ...mounts]) {
    const at = join(place, target);
    if (SYSTEM.some((path) => path === target) && lstatSync(source).isSymbolicLink()) {
      symlinkSync(readlinkSync(source), at);
      continue;
    }
    mkdirSync(statSync(source).isDirectory() ? at : dirname(at), { recursive: true });
    if (!statSync(source).isDirectory()) writeFileSync(at, "");
    lines.push(`${source} ${target} ${access}\n`);
  }
  writeFileSync(`${place}.mounts`, lines.join(""));
  return place;
}

function answerOf(line: string): Readonly<Record<"url" | "token" | "environment", string>> {
  const { url, token, environment } = Object.fromEntries(
    Object.entries(JSON.parse(line) ?? {}).map(([name, value]) => [name, String(value)]),
  );
  if (url === undefined || token === undefined || environment === undefined) throw new Error(`no server: ${line}`);
  return { url, token, environment };
}

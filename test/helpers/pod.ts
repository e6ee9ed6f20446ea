/** Runs containers in a network namespace that they share, as those of a Kubernetes pod do, without a container engine. */
import { execFileSync, spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Container, findIsolation, startContainer } from "./container.ts";
import { folder } from "./sophia.ts";

const root = join(import.meta.dirname, "../..");
const isolation = findIsolation();
const prefix = "prefix" in isolation ? isolation.prefix : (["false"] as const);
/** True if the user who creates the namespaces is not root. */
const isRootless = prefix.includes("--user");

/** The reason why no container can be created; undefined if one can. */
export const noContainers: string | undefined =
  "reason" in isolation ? `needs PID, mount and network namespaces: ${isolation.reason}` : undefined;

/**
 * A program in Python that sets the flag IFF_UP (netdevice(7)) of the loopback interface, the only one of a new network namespace,
 * and then replaces itself by its command.
 */
const WITH_LOOPBACK = `import fcntl, os, socket, struct, sys
with socket.socket() as any: fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])`;

/** A bind mount. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly access?: "ro" | "rw";
}

export interface ContainerOptions {
  /** The mounts of the base image: `debianBase` or `distrolessBase`. */
  readonly base: readonly Mount[];
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly user: number;
  readonly workdir: string;
  readonly mounts?: readonly Mount[];
  /** The access to the root of the file system, which is read-only by default. Each mount has an access of its own. */
  readonly access?: "ro" | "rw";
}

interface PodContainer extends Container {
  /** Runs a command in the container to its end, as health checks and `docker exec` do. */
  readonly exec: (command: readonly string[], env?: Readonly<Record<string, string>>) => SpawnSyncReturns<string>;
}

/** A network namespace with an ESC server on its loopback interface, in which containers are started. */
export interface Pod {
  readonly url: string;
  readonly token: string;
  /** The ESC environment on that server. */
  readonly environment: string;
  /** Starts a container. */
  readonly container: (options: ContainerOptions) => PodContainer;
  /** Ends the server. @returns a line for each violation of the rules of the API by a client */
  readonly close: () => Promise<string>;
}

/** Creates a pod, in which the server of `test/esc-server/main.ts` trusts the ID token. */
export async function startPod(idToken: string): Promise<Pod> {
  const user = isRootless ? ["--user", "--map-root-user"] : [];
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
  const { url, token, environment } = parseServerLine(first);
  // unshare and Python have replaced themselves by the server, so that `server.pid` has the namespaces of the pod.
  const enter = (...namespaces: readonly string[]) =>
    ["nsenter", ...(isRootless ? ["--user", "--preserve-credentials"] : []), ...namespaces] as const;
  return {
    url,
    token,
    environment,
    container(options) {
      const place = makeRoot([...options.base, ...(options.mounts ?? [])]);
      const script = join(import.meta.dirname, "minimal-root.sh");
      const words = ["sh", script, place, options.access ?? "ro", options.workdir];
      const identity = `${isRootless && options.user !== 0 ? "mapped:" : ""}${options.user}`;
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
          // Without root, the command first enters the user namespace of the pod, whose root may enter the container.
          const as = isRootless ? [] : [`--setuid=${options.user}`, `--setgid=${options.user}`];
          const outer = isRootless ? enter(`--target=${server.pid}`) : [];
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

/** Returns mounts of this machine's programs and libraries, with the Node.js of the tests in `/nodejs/bin`. */
export function debianBase(): readonly Mount[] {
  return [...SYSTEM.filter((path) => existsSync(path)).map((path) => ({ source: path, target: path })), NODE];
}

/** Returns mounts of Node.js and of the libraries that it needs. There is nothing else, not even a shell or env. */
export function distrolessBase(): readonly Mount[] {
  const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).match(/\/\S+(?= \(0x)/g) ?? [];
  return [...libraries.map((path) => ({ source: path, target: path })), NODE];
}

/** Creates the root of a file system, with a mount point for each mount. Links to folders of the system remain links. */
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

/** Parses the first line of the server: `{"url":"http://…","token":"…","environment":"…"}`. */
function parseServerLine(line: string): Readonly<Record<"url" | "token" | "environment", string>> {
  const { url, token, environment } = Object.fromEntries(
    Object.entries(JSON.parse(line) ?? {}).map(([name, value]) => [name, String(value)]),
  );
  if (url === undefined || token === undefined || environment === undefined) throw new Error(`no server: ${line}`);
  return { url, token, environment };
}

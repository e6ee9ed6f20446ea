/** Projects of web frameworks for the tests of docs/frameworks: the real packages, and servers at terminals. Needs /proc. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { pythonPackages } from "../python/environment.ts";
import { fetched } from "./fetched.ts";
import { fencedBlocks } from "./markdown.ts";
import { cleanPath, npmEnvironment } from "./pack.ts";
import { folder, isStandalone, sophiaRun } from "./sophia.ts";
import { type Finished, start } from "./started.ts";
import { pressCtrlC, startAtTerminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");
const INSTALL_MS = 240_000;
/** A dev server's first start compiles, on a machine that others use. */
const SERVER_MS = 120_000;

/** The status of npm, npx and node after Ctrl-C, as a terminal of startAtTerminal has it: a death by SIGINT. */
export const INTERRUPTED = 256 - 2;

/** A page of docs/frameworks. */
export interface Page {
  readonly text: string;
  /** The blocks of a language, in the page's order. */
  readonly blocks: (language: string) => readonly string[];
  /** The only block of a language that has this text. */
  readonly block: (language: string, containing: string) => string;
}

export function readPage(name: string): Page {
  const text = readFileSync(join(root, "docs/frameworks", `${name}.md`), "utf8");
  const blocks = (language: string): readonly string[] =>
    fencedBlocks(text)
      .filter((block) => block.language === language)
      .map((block) => block.text);
  return {
    text,
    blocks,
    block: (language, containing) => {
      const [found, ...others] = blocks(language).filter((block) => block.includes(containing));
      if (found === undefined || others.length > 0) throw new Error(`not one ${language} with ${containing}`);
      return found;
    },
  };
}

/** Packages of npm at fixed versions, fetched once. */
export function npmPackages(versions: Readonly<Record<string, string>>): string {
  const name = Object.entries(versions)
    .map(([each, version]) => `${each}-${version}`)
    .join("-");
  const place = fetched(join(root, ".cache/frameworks", name), (unfinished) => {
    writeFileSync(join(unfinished, "package.json"), JSON.stringify({ private: true, dependencies: versions }));
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: unfinished,
      timeout: INSTALL_MS,
      stdio: ["ignore", "ignore", "pipe"],
    });
  });
  return join(place, "node_modules");
}

/** Packages of PyPI, as test/python/environment.ts has them, for a project; throws where they cannot be installed. */
export function pythonBin(requirements: string): string {
  const python = pythonPackages(requirements);
  if ("reason" in python) throw new Error(python.reason);
  return python.bin;
}

/** Where a project's packages come from. */
type Packages = { readonly modules: string } | { readonly bin: string };

/** A server in the foreground of a terminal of its own. */
interface Server {
  /** What the page at this path shows, once it answers with 2xx. */
  readonly page: (path?: string) => Promise<string>;
  /** Waits until the page at this path shows a text. */
  readonly showing: (text: string, path?: string) => Promise<void>;
  /** The next match in what the terminal shows, without colours. */
  readonly seen: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Presses Ctrl-C, and returns how the command ended, once no process of the project is left. */
  readonly interrupt: () => Promise<Finished>;
}

export interface Project {
  readonly cwd: string;
  readonly port: number;
  /** Writes a file, so that only its owner can read it. */
  readonly write: (name: string, text: string) => void;
  /** Runs a command of a shell to its end, without a terminal. */
  readonly run: (script: string, env?: Readonly<Record<string, string>>) => Promise<Finished>;
  readonly serve: (script: string) => Server;
}

/**
 * Makes a project with sophia-run as its package managers install it.
 *
 * @param files the texts of its files; `PORT` in a `.env` is a free one
 */
export async function makeProject(files: Readonly<Record<string, string>>, packages: Packages): Promise<Project> {
  const cwd = folder();
  const home = folder();
  const port = await freePort();
  const bin = "bin" in packages ? folder() : join(cwd, "node_modules/.bin");
  if ("modules" in packages) copyPackages(packages.modules, join(cwd, "node_modules"));
  const entry = sophiaRun.at(-1) ?? "";
  symlinkSync(isStandalone ? entry : `${entry}.cjs`, join(bin, "sophia-run"));
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text.replaceAll("$FREE_PORT", String(port)), { mode: 0o600 });
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const env = {
    ...npmEnvironment(home),
    PATH: [bin, ...("bin" in packages ? [packages.bin] : []), cleanPath].join(delimiter),
    TERM: "dumb",
    NO_COLOR: "1",
    NEXT_TELEMETRY_DISABLED: "1",
  };
  onTestFinished(() => {
    for (const pid of processesIn(cwd)) kill(pid);
  });
  return {
    cwd,
    port,
    write,
    run: (script, more = {}) => start(["sh", "-c", script], { cwd, env: { ...env, ...more } }).finished,
    serve: (script) => serverAt(cwd, ["sh", "-c", `exec ${script}`], env, port),
  };
}

function serverAt(
  cwd: string,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  port: number,
): Server {
  const running = startAtTerminal(command, { cwd, env });
  const ended = { is: false };
  void running.finished.finally(() => {
    ended.is = true;
  });
  const page = async (path = "/"): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(SERVER_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return await answer.text();
  };
  return {
    page,
    seen: running.seen,
    showing: async (text, path) => {
      const show = async (): Promise<string> => {
        if (ended.is) return `the server ended: ${(await running.finished).stdout}`;
        return await page(path).catch(async (error: unknown) => {
          const [shown] = await running.seen(/[^]*/);
          return `no page: ${String(error)}; the terminal shows: ${shown}`;
        });
      };
      await expect.poll(show, { timeout: SERVER_MS, interval: 100 }).toContain(text);
    },
    interrupt: async () => {
      expect(processesIn(cwd).filter((pid) => pid !== running.pid)).not.toEqual([]);
      pressCtrlC(running);
      const finished = await running.finished;
      await expect.poll(() => processesIn(cwd).map(commandLine)).toEqual([]);
      return finished;
    },
  };
}

/** Links the files of packages, which no tool writes to; copies them to another file system. */
function copyPackages(from: string, to: string): void {
  const linked = spawnSync("cp", ["-al", from, to]);
  if (linked.status !== 0) execFileSync("cp", ["-a", `${from}/.`, to]);
}

/** Processes whose working directory is this folder or below it. */
function processesIn(cwd: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${cwd}/`);
      } catch {
        // It has ended, or is another user's.
        return false;
      }
    })
    .map(Number);
}

function commandLine(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, "utf8").replaceAll("\0", " ") : "";
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Returns a port of this machine on which no process listens. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
    });
  });
}

/**
 * Makes projects of web frameworks for the tests of docs/frameworks, with the real packages, and runs their servers at terminals.
 * Needs /proc.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { preparePython } from "../python/virtual-environment.ts";
import { findFreePort } from "./free-port.ts";
import { fencedBlocksOf } from "./markdown.ts";
import { fetchNpmPackages } from "./npm-packages.ts";
import { cleanPath, npmEnvironment } from "./pack.ts";
import { folder, isStandalone, sophiaRun } from "./sophia.ts";
import { type ProcessResult, startProcess } from "./start-process.ts";
import { pressCtrlC, startAtTerminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");
/** The limit on the first start of a dev server, which compiles, on a busy machine. */
const SERVER_MS = 120_000;

/** The status that startAtTerminal reports for npm, npx and node after Ctrl-C: they end by SIGINT. */
export const INTERRUPTED = 256 - 2;

/** A page of docs/frameworks. */
export interface Page {
  readonly text: string;
  /** Returns the blocks of a language, in the order of the page. */
  readonly blocks: (language: string) => readonly string[];
  /** Returns the block of a language that contains a text. There must be exactly one. */
  readonly block: (language: string, containing: string) => string;
}

/** Reads a page by its name without `.md`. */
export function readPage(name: string): Page {
  const text = readFileSync(join(root, "docs/frameworks", `${name}.md`), "utf8");
  const blocks = (language: string): readonly string[] =>
    fencedBlocksOf(text)
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

/** Fetches packages of npm once. @returns the folder node_modules with them */
export function fetchFrameworkPackages(versions: Readonly<Record<string, string>>): string {
  const name = Object.entries(versions)
    .map(([packageName, version]) => `${packageName}-${version}`)
    .join("-");
  return join(fetchNpmPackages(join(root, ".cache/frameworks", name), versions), "node_modules");
}

/**
 * Installs packages of PyPI by test/python/virtual-environment.ts.
 *
 * @returns the folder of their commands
 * @throws Error if that is impossible
 */
export function pythonBin(requirements: string): string {
  const python = preparePython(requirements);
  if ("reason" in python) throw new Error(python.reason);
  return python.bin;
}

/** The folder node_modules of a project, or the folder of commands of a virtual environment. */
type Packages = { readonly modules: string } | { readonly bin: string };

/** A server that runs in the foreground of a terminal. */
interface Server {
  /** Returns the page at a path. Rejects if its status is not 2xx. */
  readonly page: (path?: string) => Promise<string>;
  /** Waits until the page at a path contains a text. */
  readonly showing: (text: string, path?: string) => Promise<void>;
  /** Waits for a match in what the terminal shows, without colours. */
  readonly seen: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Presses Ctrl-C, waits until no process of the project is left, and returns how the command ended. */
  readonly interrupt: () => Promise<ProcessResult>;
}

export interface Project {
  readonly cwd: string;
  readonly port: number;
  /** Writes a file that only its owner can read. */
  readonly write: (name: string, text: string) => void;
  /** Runs a command of a shell to its end, without a terminal. */
  readonly run: (script: string, env?: Readonly<Record<string, string>>) => Promise<ProcessResult>;
  readonly serve: (script: string) => Server;
}

/**
 * Makes a project with sophia-run as its package managers install it.
 *
 * @param files the texts of its files, in which `$FREE_PORT` is replaced by the port of the project
 */
export async function makeProject(files: Readonly<Record<string, string>>, packages: Packages): Promise<Project> {
  const cwd = folder();
  const home = folder();
  const port = await findFreePort();
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
    for (const pid of processesIn(cwd)) killGroup(pid);
  });
  return {
    cwd,
    port,
    write,
    run: (script, more = {}) => startProcess(["sh", "-c", script], { cwd, env: { ...env, ...more } }).finished,
    serve: (script) => startServer(cwd, ["sh", "-c", `exec ${script}`], env, port),
  };
}

/** Starts a server at a terminal. */
function startServer(
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
    seen: running.waitForStdout,
    showing: async (text, path) => {
      const show = async (): Promise<string> => {
        if (ended.is) return `the server ended: ${(await running.finished).stdout}`;
        return await page(path).catch(async (error: unknown) => {
          const [shown] = await running.waitForStdout(/[^]*/);
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

/** Makes hard links to the files of packages, which no tool changes. On another file system the files are copied. */
function copyPackages(from: string, to: string): void {
  const linked = spawnSync("cp", ["-al", from, to]);
  if (linked.status !== 0) execFileSync("cp", ["-a", `${from}/.`, to]);
}

/** Returns the processes whose working directory is the folder or is below it. */
function processesIn(cwd: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${cwd}/`);
      } catch {
        // The process has ended, or belongs to another user.
        return false;
      }
    })
    .map(Number);
}

function commandLine(pid: number): string {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, "utf8").replaceAll("\0", " ") : "";
}

function killGroup(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended.
  }
}

/** Runs the program under test to its end, in an environment and a folder of the test's own. Most tests use this file. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { isStandalone, sophiaRun } from "./program.ts";
import type { ProcessResult } from "./start-process.ts";

export { isStandalone, sophiaRun } from "./program.ts";
export type { ProcessResult } from "./start-process.ts";

const root = join(import.meta.dirname, "../..");

/** The path of the package's addon for this machine. It exists if there was a C compiler for the build. */
export const addon: string = join(root, `dist/${process.platform}-${process.arch}.node`);

/** True if the program under test uses exec mode by default: the program replaces it. */
export const usesExecMode: boolean = isStandalone || existsSync(addon);
/** True if the program under test can use exec mode (`--mode exec`). */
export const supportsExecMode: boolean = usesExecMode || "execve" in process;

/** Values that meet the built-in contract. Each is different, so that tests can search for it. */
export const CONTRACT_VALUES = {
  PULUMI_ACCESS_TOKEN: "pul-sentinel-pulumi-0a1b",
  QDRANT_URL: "https://sentinel-qdrant.example.test:6333",
  QDRANT_API_KEY: "sentinel-qdrant-key-2c3d",
  GITHUB_PAT: "ghp_sentinel-github-4e5f",
  OPENAI_API_KEY: "sk-sentinel-openai-6a7b",
} as const;

export interface RunOptions {
  /** The environment, without PATH and HOME, which are added. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** Runs sophia-run to its end. It gets only PATH, HOME and the variables of `env`. */
export function sophia(
  args: readonly string[],
  { env = {}, cwd = folder(), input = "" }: RunOptions = {},
): Promise<ProcessResult> {
  const [command, ...prefix] = sophiaRun;
  const child = spawn(command, [...prefix, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {}).end(input);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, ...output }));
  });
}

/** Joins the lines of a message, so that tests need not know where sophia-run has wrapped it. */
export function unwrapLines(text: string): string {
  return text.replaceAll(/\n +/g, " ");
}

/** Creates a folder with these files, which is removed after the test. @returns its path */
export function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    if (name.includes("/")) mkdirSync(dirname(join(path, name)), { recursive: true });
    // sophia-run would warn about a world-readable .env.
    writeFileSync(join(path, name), content, { mode: name.startsWith(".env") ? 0o600 : 0o666 });
  }
  return path;
}

/** Copies the built package, so that the test can change it. @returns the folder */
export function copyPackage(): string {
  const path = folder();
  for (const name of ["bin", "dist"]) cpSync(join(root, name), join(path, name), { recursive: true });
  return path;
}

/** Parses the output of `env`. */
export function parseEnvironment(stdout: string): Record<string, string> {
  return Object.fromEntries(
    stdout
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { isStandalone, sophiaRun } from "./program.ts";

export { isStandalone, sophiaRun } from "./program.ts";

const root = join(import.meta.dirname, "../..");

/** The addon that the package has for this machine; it is built where there is a C compiler. */
export const addon: string = join(root, `dist/${process.platform}-${process.arch}.node`);

/** The program under test puts the program that it starts in its own place unless it is told otherwise. */
export const becomesProgram: boolean = isStandalone || existsSync(addon);
/** It can do so if it is told to (`--mode exec`). */
export const canBecomeProgram: boolean = becomesProgram || "execve" in process;

/** What meets the Sophia contract; every value is a sentinel of its own. */
export const CONTRACT_VALUES = {
  PULUMI_ACCESS_TOKEN: "pul-sentinel-pulumi-0a1b",
  QDRANT_URL: "https://sentinel-qdrant.example.test:6333",
  QDRANT_API_KEY: "sentinel-qdrant-key-2c3d",
  GITHUB_PAT: "ghp_sentinel-github-4e5f",
  OPENAI_API_KEY: "sk-sentinel-openai-6a7b",
} as const;

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment, but for PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

/** Runs sophia-run to its end in an environment built from nothing. */
export function sophia(
  args: readonly string[],
  { env = {}, cwd = folder(), input = "" }: RunOptions = {},
): Promise<Ended> {
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

/** What sophia-run says, without the breaks by which its lines have 80 columns, and without those between its lines. */
export function unwrapped(text: string): string {
  return text.replaceAll(/\n +/g, " ");
}

/** A folder that is gone after the test, with the given files in it. */
export function folder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    if (name.includes("/")) mkdirSync(dirname(join(path, name)), { recursive: true });
    // A world-readable .env has a warning.
    writeFileSync(join(path, name), content, { mode: name.startsWith(".env") ? 0o600 : 0o666 });
  }
  return path;
}

/** A copy of the built package, for a test to change. */
export function copyOfPackage(): string {
  const path = folder();
  for (const name of ["bin", "dist"]) cpSync(join(root, name), join(path, name), { recursive: true });
  return path;
}

/** The lines of `env`, by name. */
export function environmentOf(stdout: string): Record<string, string> {
  return Object.fromEntries(
    stdout
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

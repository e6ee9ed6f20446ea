/** Folders and repositories for the tests of `scan`. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type ProcessResult, folder, sophia } from "../../helpers/sophia.ts";

export const KEY = "SENTINEL-9f2c-key/0000+x";
export const PEM = `-----BEGIN PRIVATE KEY-----\nSENTINEL9f2cAAAAAAAA\nSENTINEL9f2cBBBBBBBB\n-----END PRIVATE KEY-----\n`;
const CONTRACT = JSON.stringify({
  variables: { API_KEY: {}, TLS_KEY: {}, REGION: { secret: false }, MODE: {} },
});
export const SECRET_VARIABLES = { API_KEY: KEY, TLS_KEY: PEM, REGION: "eu-central-1", MODE: "production" };

/** A folder with the contract and more files; names may have folders in them. */
export function createProject(files: Readonly<Record<string, string | Uint8Array>>): string {
  const cwd = folder({ "sophia.contract.json": CONTRACT });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(cwd, name, ".."), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  return cwd;
}

export function runGit(cwd: string, ...args: readonly string[]): string {
  // No maintenance in the background: it would write into a repository that the test removes.
  const settings = ["user.name=n", "user.email=e@example.test", "commit.gpgsign=false", "maintenance.auto=false"];
  return execFileSync("git", [...settings.flatMap((setting) => ["-c", setting]), ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

export function createRepository(files: Readonly<Record<string, string | Uint8Array>>): string {
  const cwd = createProject(files);
  runGit(cwd, "init", "--quiet");
  return cwd;
}

/** Commits all files. @returns the commit, as findings show it */
export function commitAll(cwd: string, message: string): string {
  runGit(cwd, "add", ".");
  runGit(cwd, "commit", "--quiet", "--allow-empty", "--message", message);
  return runGit(cwd, "rev-parse", "HEAD").trim().slice(0, 12);
}

export async function runScan(cwd: string, ...args: readonly string[]): Promise<ProcessResult> {
  const result = await sophia(["scan", ...args], { cwd, env: SECRET_VARIABLES });
  expect(result.stdout + result.stderr).not.toMatch(/SENTINEL/);
  return result;
}

/** The lines in front of the summary. */
export function findingsOf({ stdout }: ProcessResult): readonly string[] {
  return (
    stdout
      .split("\n\n")[0]
      ?.split("\n")
      .filter((line) => /:\d+(-\d+)?: /.test(line))
      .toSorted() ?? []
  );
}

/** Removes a loose object, as a partial clone lacks it. */
export function removeObject(cwd: string, name: string): void {
  const object = runGit(cwd, "rev-parse", name).trim();
  rmSync(join(cwd, ".git/objects", object.slice(0, 2), object.slice(2)));
}

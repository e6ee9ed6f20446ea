/** Makes the files of a release in a clone, as if the commit of a release had landed. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { provenance } from "./provenance.ts";

const LINUX_TARGETS = ["linux-x64", "linux-arm64"];
/** A step of the build takes at most this long. */
const STEP_MS = 1_800_000;

/** Clones the repository, makes the changes of a release there, and commits them. @returns the clone */
export function checkOut(root: string, checkout: string): string {
  execFileSync("git", ["clone", "--quiet", "--no-hardlinks", root, checkout]);
  step("install the packages", checkout, "npm", "ci", "--no-audit", "--no-fund");
  const { version } = manifestOf(checkout);
  const today = new Date().toISOString().slice(0, "2026-01-01".length);
  edit(join(checkout, "CHANGELOG.md"), "## Unreleased\n", `## ${version} - ${today}\n`);
  const distribution = join(checkout, "src/commands/parts/distribution.ts");
  edit(distribution, `: Distribution = "checkout";`, `: Distribution = "release";`);
  step("write the documents of a release", checkout, "npm", "run", "--silent", "docs");
  const author = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost"];
  execFileSync("git", [...author, "commit", "--quiet", "--all", "--message", `Release ${version}`], { cwd: checkout });
  return checkout;
}

/** Builds the release of a clone, and copies it to a folder. @returns the names of the files */
export function buildRelease(checkout: string, folder: string): readonly string[] {
  step("build the executables", checkout, "npm", "run", "--silent", "build:standalone", "--", ...LINUX_TARGETS);
  step("build the package", checkout, process.execPath, "scripts/build.mjs", "--release");
  step("pack the wheels", checkout, process.execPath, "scripts/wheel.mjs", ...LINUX_TARGETS);
  step("bundle the action", checkout, process.execPath, "scripts/action.mjs");
  step("check the release", checkout, process.execPath, "scripts/release.mjs", "--release");
  cpSync(join(checkout, "dist-release"), folder, { recursive: true });
  const commit = execFileSync("git", ["rev-parse", "HEAD"], { cwd: checkout, encoding: "utf8" }).trim();
  const subjects = readdirSync(folder)
    .filter((name) => !["NOTES.md", "SHA256SUMS"].includes(name))
    .map((name) => ({ name, sha256: sha256(join(folder, name)) }));
  const { version } = manifestOf(checkout);
  writeFileSync(join(folder, `sophia-run-${version}.provenance.json`), provenance(commit, subjects));
  return readdirSync(folder);
}

/** Runs a step, whose output appears only if it fails. @throws with that output */
function step(title: string, cwd: string, command: string, ...args: readonly string[]): void {
  process.stdout.write(`${title}\n`);
  try {
    execFileSync(command, args, { cwd, stdio: "pipe", encoding: "utf8", timeout: STEP_MS, maxBuffer: 1e8 });
  } catch (error) {
    const output = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new Error(`could not ${title}:\n${output.trimEnd()}`, { cause: error });
  }
}

/** Replaces a text that must be in the file. */
function edit(path: string, before: string, after: string): void {
  const text = readFileSync(path, "utf8");
  if (!text.includes(before)) throw new Error(`${path} does not have: ${before.trim()}`);
  writeFileSync(path, text.replace(before, after));
}

function manifestOf(checkout: string): { readonly version: string } {
  const manifest: unknown = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
  if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) throw new Error("no version");
  return { version: String(manifest.version) };
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

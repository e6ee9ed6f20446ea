// Copies the executables for Linux, which `npm run build:standalone` makes, into dist/: the package has them for `sophia-run link`.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { executableName, HOST, LINUX_TARGETS } from "./targets.mjs";

/** The names of the files in dist/. */
export const EXECUTABLES = LINUX_TARGETS.map(executableName);

/**
 * Brings dist/ up to date.
 *
 * @param root the repository
 * @param version of package.json
 * @param commit if each executable that this machine starts must be of it, as `builtCommit` returns it
 * @returns what is not in dist/, with the reason
 */
export function placeExecutables(root, version, commit) {
  mkdirSync(join(root, "dist"), { recursive: true });
  return new Map(
    EXECUTABLES.flatMap((name) => {
      const problem = place(join(root, "dist-standalone", name), join(root, "dist", name), version, commit);
      return problem === undefined ? [] : [[name, problem]];
    }),
  );
}

function place(from, to, version, commit) {
  const source = statSync(from, { throwIfNoEntry: false });
  const problem = source === undefined ? "is not built" : problemOf(from, version, commit);
  if (problem !== undefined) {
    rmSync(to, { force: true });
    return problem;
  }
  const copy = statSync(to, { throwIfNoEntry: false });
  if (copy?.size === source.size && copy.mtimeMs === source.mtimeMs) return undefined;
  const temporary = `${to}.${process.pid}`;
  copyFileSync(from, temporary);
  // The user who built it may have had a umask that keeps others from reading and executing it.
  chmodSync(temporary, 0o755);
  utimesSync(temporary, source.mtime, source.mtime);
  renameSync(temporary, to);
  return undefined;
}

/** Another processor's executable is not asked: the release builds all from one commit. */
function problemOf(file, version, commit) {
  if (!file.endsWith(executableName(HOST))) return undefined;
  const { status, stdout } = spawnSync(file, ["--version"], { encoding: "utf8", timeout: 60_000 });
  if (status !== 0) return "does not start";
  const [built] = stdout.split(" ");
  if (built !== version) return `is version ${built}`;
  const isOther = commit !== undefined && !stdout.includes(`commit ${commit.replace("+", ", changed")})`);
  return isOther ? `is of another commit: ${stdout.trim()}` : undefined;
}

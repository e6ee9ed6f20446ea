/**
 * Replaces the repository on GitHub by a local one: `git clone` of its address clones a repository whose `npm run package` copies a
 * tarball that the test has packed.
 */
import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { REPOSITORY_URL } from "../../src/commands/parts/package-source.ts";
import { folder } from "./sophia.ts";

/**
 * Creates the local repository, which is removed when the test ends.
 *
 * @param tarball the result of `packPackage`
 * @returns variables with which git clones this repository in place of the one on GitHub
 */
export function createLocalRepository(tarball: string): Readonly<Record<string, string>> {
  const copies = `cp ${JSON.stringify(tarball)} "$(cd "$INIT_CWD" && cd "$1" && pwd)/${basename(tarball)}"`;
  const path = folder({ "package.json": "{}", "package.sh": copies });
  execFileSync("npm", ["pkg", "set", "scripts.package=sh package.sh"], { cwd: path });
  for (const args of [
    ["init", "--quiet"],
    ["add", "."],
    ["commit", "--quiet", "--message=one"],
  ]) {
    execFileSync("git", ["-c", "user.name=n", "-c", "user.email=e@example.test", ...args], { cwd: path });
  }
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.file://${path}.insteadOf`,
    GIT_CONFIG_VALUE_0: REPOSITORY_URL,
  };
}

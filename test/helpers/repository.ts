/** Stands for the repository on GitHub: `git clone` of its address clones one whose `npm run package` copies what is packed here. */
import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { REPOSITORY } from "../../src/commands/parts/package-source.ts";
import { folder } from "./sophia.ts";

/** @param tarball that of `pack`. @returns variables for git */
export function standInForRepository(tarball: string): Readonly<Record<string, string>> {
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
    GIT_CONFIG_VALUE_0: REPOSITORY,
  };
}

// The commit that a build is made from, for `sophia-run --version`.
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { SOURCES } from "./inputs.mjs";

const DIGITS = 12;

/**
 * Returns the first digits of the commit, followed by `+` if the sources differ from it. Builds of one commit are alike.
 *
 * @param root the repository
 * @returns an empty text outside git, also in a folder that is only below another repository
 */
export function builtCommit(root) {
  try {
    const top = git(root, "rev-parse", "--show-toplevel").trim();
    if (realpathSync(top) !== realpathSync(root)) return "";
    const commit = git(root, "rev-parse", "HEAD").slice(0, DIGITS);
    return git(root, "status", "--porcelain", "--", ...SOURCES) === "" ? commit : `${commit}+`;
  } catch {
    // Without git, without a repository, or in one of another user.
    return "";
  }
}

function git(root, ...args) {
  // A hook of another repository would name that one.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  return execFileSync("git", ["--no-optional-locks", ...args], {
    cwd: root,
    env: Object.fromEntries(others),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

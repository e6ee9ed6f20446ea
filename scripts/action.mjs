// Bundles the GitHub Action into the file that `action.yml` names: `node scripts/action.mjs`. The main branch has no bundle. With
// `--commit` it makes the commit for a release's tag: the sources and the bundle. The commit is reproducible, and the work
// tree does not change.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundleAction } from "./build/bundle.mjs";

const root = join(import.meta.dirname, "..");
const BUNDLE = "dist-action/main.cjs";

const code = await bundleAction();
mkdirSync(dirname(join(root, BUNDLE)), { recursive: true });
// Renames, so that another process finds a whole file.
const temporary = join(root, `${BUNDLE}.${process.pid}`);
writeFileSync(temporary, code);
renameSync(temporary, join(root, BUNDLE));
process.stdout.write(process.argv.includes("--commit") ? `${commit()}\n` : `${join(root, BUNDLE)}\n`);

/** Makes the commit with HEAD's files and the bundle. Its parent, author and dates are those of HEAD. */
function commit() {
  const [name, email, date, subject] = git(["log", "-1", "--format=%an%n%ae%n%aI%n%s"]).split("\n");
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-action-"));
  try {
    const index = { GIT_INDEX_FILE: join(folder, "index") };
    git(["read-tree", "HEAD"], index);
    const blob = git(["hash-object", "-w", "--stdin"], {}, code);
    git(["update-index", "--add", "--cacheinfo", `100644,${blob},${BUNDLE}`], index);
    const tree = git(["write-tree"], index);
    const who = Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((role) => [
        [`GIT_${role}_NAME`, name],
        [`GIT_${role}_EMAIL`, email],
        [`GIT_${role}_DATE`, date],
      ]),
    );
    return git(["commit-tree", tree, "-p", "HEAD", "-m", `Bundle the action of: ${subject}`], who);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function git(args, env = {}, input = "") {
  return execFileSync("git", args, { cwd: root, env: { ...process.env, ...env }, input, encoding: "utf8" }).trim();
}

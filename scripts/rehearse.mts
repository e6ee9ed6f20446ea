/**
 * Rehearses a release:
 *
 *   npm run rehearse -- ../release
 *
 * It makes everything that a release of this commit would publish, and puts it into a folder, which must not exist. Then it
 * installs the package from that folder into a new project with each package manager, and runs the commands of the README there.
 * Publishes nothing. Ends with status 1 if something fails, and with 2 and the reason if this machine cannot do it.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { installEverywhere } from "./rehearse/installations.ts";
import { findObstacle } from "./rehearse/obstacles.ts";
import { buildRelease, checkOut } from "./rehearse/release.ts";

/** The tasks that a rehearsal leaves out. docs/maintaining.md has the same list. */
const ONLY_A_PERSON = [
  "enter this repository, the workflow release.yml and its environments as trusted publishers at npm and PyPI",
  "create the environments npm, pypi and github, and name who must approve",
  "set the version, DISTRIBUTION and the heading in CHANGELOG.md, and land them on main",
  "start the workflow Release, and approve its three environments",
  "publish the action to GitHub's Marketplace from the page of the release",
];

const root = join(import.meta.dirname, "..");
const [name, ...rest] = process.argv.slice(2);
// npm runs scripts in the repository; the folder is relative to that of the user.
const folder = resolve(process.env["INIT_CWD"] ?? process.cwd(), name ?? "");
const obstacle =
  name === undefined || name.startsWith("-") || rest.length > 0
    ? "name one folder, which does not exist\n  npm run rehearse -- ../release"
    : findObstacle(root, folder);
if (obstacle === undefined) {
  rehearse();
} else {
  process.stderr.write(`not run: ${obstacle}\n`);
  process.exitCode = 2;
}

function rehearse(): void {
  const work = realpathSync(mkdtempSync(join(tmpdir(), "sophia-run-rehearsal-")));
  process.once("SIGINT", () => removeAndExit(work, 130));
  process.once("SIGTERM", () => removeAndExit(work, 143));
  try {
    const checkout = checkOut(root, join(work, "checkout"));
    const files = buildRelease(checkout, folder);
    process.stdout.write(`\nin ${name}:\n${files.map((file) => `  ${file}\n`).join("")}\n`);
    const failures = installEverywhere(checkout, folder, work);
    if (failures > 0) process.exitCode = 1;
    else process.stdout.write(`\nonly a person can:\n${ONLY_A_PERSON.map((line) => `  - ${line}\n`).join("")}`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function removeAndExit(work: string, status: number): never {
  rmSync(work, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  process.exit(status);
}

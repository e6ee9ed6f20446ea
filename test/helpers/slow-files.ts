/**
 * The tests that `npm test` leaves out and that cover what a change touches: those of a branch and of the work tree against main.
 *
 * A test covers the files that it imports, through its helpers, up to the first file of src/; other files whose paths it has in
 * its text; and, since most slow tests start the program in place of importing it, the files of src/ in the folder of the same name.
 * What is imported by none and has no such folder is covered by the tests across modules (test/scenarios/) and of folders above.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { projectOf, QUICK } from "./projects.mts";

const SCENARIOS = "test/scenarios/";
const SLOW = ["slow", "standalone"] as const;

/** The folders of tests for what is not in src/: the first whose pattern fits. */
export const ELSEWHERE: readonly (readonly [changed: RegExp, tests: string])[] = [
  [/^native\/monitor\//, "test/launch/monitor/"],
  [/^native\/masking\//, "test/launch/masking/"],
  [/^native\//, "test/launch/"],
  [/^runtime\/(?!test\/)/, "runtime/test/"],
  [/^examples\//, "test/scenarios/examples."],
  [/^(?:docs\/)?[^/]+\.md$/, "test/scenarios/documents."],
];

/** More arguments than these are not a command that someone pastes. */
const MOST_ARGUMENTS = 20;
const GIT_LIMIT_MS = 5_000;

/** Returns the lines for the end of a run: none without git, or without a change that a slow test covers. */
export function slowFileLines(root: string): readonly string[] {
  const slow = slowFilesFor(changedFiles(root), root);
  if (slow.length === 0) return [];
  const all = sourcesIn(root, "test", "runtime/test").filter(isSlow);
  const names = shortened(slow, all);
  const command =
    names.length > MOST_ARGUMENTS
      ? "npm run test:all"
      : `npx vitest run ${SLOW.map((name) => `--project=${name}`).join(" ")} ${names.join(" ")}`;
  return [`slow tests of what this change touches, ${slow.length} of ${all.length} files:`, `  ${command}`];
}

/** Returns the slow test files that cover changed files, both relative to the root, sorted. */
export function slowFilesFor(changed: readonly string[], root: string): readonly string[] {
  if (changed.length === 0) return [];
  const files = sourcesIn(root, "test", "runtime/test");
  const slow = files.filter(isSlow);
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
  const imports = new Map(slow.map((file) => [file, importedBy(file, texts)]));
  const covers = (file: string): readonly string[] => {
    const test = file.replace(/__snapshots__\/(.*)\.snap$/, "$1");
    const close = [...slow.filter((each) => imports.get(each)?.has(test) === true), ...ofFolder(file, slow)];
    const far = close.length === 0 && file.startsWith("src/") ? acrossModules(file, slow) : [];
    return [...close, ...far, ...slow.filter((each) => isNamed(file, texts.get(each)))];
  };
  return [...new Set(changed.flatMap(covers))].toSorted();
}

/**
 * Returns the files that differ from those of main, relative to the root: of commits, of the work tree, and new ones. Without main,
 * as in a shallow clone, those of the work tree; without a repository of the folder's own none.
 */
export function changedFiles(root: string): readonly string[] {
  const git = (...args: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8", timeout: GIT_LIMIT_MS });
    return status === 0 ? stdout : undefined;
  };
  const top = git("rev-parse", "--show-toplevel")?.trimEnd();
  // A tarball may have been unpacked inside of another repository, or into one without a commit.
  if (top === undefined || realpathSync(top) !== realpathSync(root) || git("rev-parse", "HEAD") === undefined)
    return [];
  const base = git("merge-base", "HEAD", "origin/main") ?? git("merge-base", "HEAD", "main") ?? "HEAD";
  const lists = [
    git("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", base.trimEnd()),
    git("ls-files", "--others", "--exclude-standard", "-z"),
  ];
  return lists.flatMap((list = "") => list.split("\0").filter((file) => file !== ""));
}

function isSlow(file: string): boolean {
  return file.endsWith(".test.ts") && !QUICK.includes(projectOf(file));
}

function sourcesIn(root: string, ...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { encoding: "utf8", recursive: true })
      .filter((name) => /\.[cm]?[jt]s$/.test(name))
      .map((name) => `${folder}/${name.replaceAll(sep, "/")}`),
  );
}

/** Returns the files that a test imports, and those that its helpers import, but not those that these files import elsewhere. */
function importedBy(test: string, texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  const found = new Set([test]);
  for (const file of found) {
    const paths = (texts.get(file) ?? "").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
    for (const [, path = ""] of paths) found.add(normalize(join(dirname(file), path)).replaceAll(sep, "/"));
  }
  return found;
}

/** Returns the tests of the folder that a file's folder has in test/, or that ELSEWHERE names. */
function ofFolder(file: string, slow: readonly string[]): readonly string[] {
  const [, elsewhere] = ELSEWHERE.find(([pattern]) => pattern.test(file)) ?? [];
  if (elsewhere !== undefined) return slow.filter((test) => test.startsWith(elsewhere));
  return file.startsWith("src/") ? nearest(dirname(file).replace(/^src/, "test"), slow) : [];
}

/** Returns the tests directly in a folder, else those below it, else those of the folder above, unless that is a whole module's. */
function nearest(folder: string, slow: readonly string[]): readonly string[] {
  if (folder === "test") return [];
  const below = slow.filter((test) => test.startsWith(`${folder}/`));
  const inIt = below.filter((test) => dirname(test) === folder);
  if (below.length > 0) return inIt.length > 0 ? inIt : below;
  const above = dirname(folder);
  return dirname(above) === "test" ? [] : nearest(above, slow);
}

/** Returns the tests across modules, and those directly in the folders above that a file's folder has in test/. */
function acrossModules(file: string, slow: readonly string[]): readonly string[] {
  const folder = dirname(file).replace(/^src/, "test");
  return slow.filter((test) => test.startsWith(SCENARIOS) || folder.startsWith(`${dirname(test)}/`));
}

/** Returns true if a text has the path of a file, as the text of a test that runs a script or reads a document. */
function isNamed(file: string, text = ""): boolean {
  return (
    file.includes("/") &&
    !file.startsWith("src/") &&
    ['"', "`", "/", " "].some((before) => text.includes(before + file))
  );
}

/** Returns the arguments of vitest: a folder in place of all its slow files. */
function shortened(slow: readonly string[], all: readonly string[]): readonly string[] {
  const whole = (folder: string): boolean => all.every((file) => !file.startsWith(folder) || slow.includes(file));
  const outermost = (file: string): string => {
    const parts = file.split("/");
    const folders = parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join("/")}/`);
    return folders.find((folder) => whole(folder) && all.filter((one) => one.startsWith(folder)).length > 1) ?? file;
  };
  return [...new Set(slow.map(outermost))];
}

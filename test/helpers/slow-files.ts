/**
 * Finds the slow tests that cover a change. `npm test` does not run them, and names them at its end. A change is the difference
 * between main and the branch with its work tree.
 *
 * A test covers these files:
 *
 * - those that it imports, directly or through helpers, but not what files of src/ import in turn,
 * - those whose paths are in its text,
 * - the files of src/ in the folder of the same name, because most slow tests start the program and do not import it.
 *
 * A file of src/ that no test covers in these ways is covered by test/scenarios/ and by the tests in the folders above.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { projectOf, QUICK } from "./projects.mts";

const SCENARIOS = "test/scenarios/";
const SLOW = ["slow", "standalone"] as const;

/** The folders with the tests of files outside of src/. The first pattern that matches decides. */
export const ELSEWHERE: readonly (readonly [changed: RegExp, tests: string])[] = [
  [/^native\/monitor\//, "test/launch/monitor/"],
  [/^native\/masking\//, "test/launch/masking/"],
  [/^native\//, "test/launch/"],
  [/^runtime\/(?!test\/)/, "runtime/test/"],
  [/^examples\//, "test/scenarios/examples."],
  [/^(?:docs\/)?[^/]+\.md$/, "test/scenarios/documents."],
];

/** The limit on the arguments of a command to paste. */
const MAX_ARGUMENTS = 20;
const GIT_LIMIT_MS = 5_000;

/** Returns the lines for the end of a run. There are none without git, or if no slow test covers the change. */
export function slowFileLines(root: string): readonly string[] {
  const slow = slowFilesFor(changedFiles(root), root);
  if (slow.length === 0) return [];
  const all = sourcesIn(root, "test", "runtime/test").filter(isSlow);
  const names = shortenPaths(slow, all);
  const command =
    names.length > MAX_ARGUMENTS
      ? "npm run test:all"
      : `npx vitest run ${SLOW.map((name) => `--project=${name}`).join(" ")} ${names.join(" ")}`;
  return [`slow tests of what this change touches, ${slow.length} of ${all.length} files:`, `  ${command}`];
}

/** Returns the slow test files that cover changed files, sorted. All paths are relative to the root. */
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
 * Returns the files that differ from main, relative to the root: those of commits and of the work tree, and new files. Without
 * main, as in a shallow clone, only the work tree counts. If the root is not the root of a repository, there are none.
 */
export function changedFiles(root: string): readonly string[] {
  const git = (...args: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8", timeout: GIT_LIMIT_MS });
    return status === 0 ? stdout : undefined;
  };
  const top = git("rev-parse", "--show-toplevel")?.trimEnd();
  // The root may be an unpacked tarball inside of another repository, or in a repository without a commit.
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
  const imported = new Set([test]);
  for (const file of imported) {
    const paths = (texts.get(file) ?? "").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
    for (const [, path = ""] of paths) imported.add(normalize(join(dirname(file), path)).replaceAll(sep, "/"));
  }
  return imported;
}

/** Returns the tests in the folder of test/ that corresponds to the folder of a file, or that ELSEWHERE names. */
function ofFolder(file: string, slow: readonly string[]): readonly string[] {
  const [, elsewhere] = ELSEWHERE.find(([pattern]) => pattern.test(file)) ?? [];
  if (elsewhere !== undefined) return slow.filter((test) => test.startsWith(elsewhere));
  return file.startsWith("src/") ? findNearest(dirname(file).replace(/^src/, "test"), slow) : [];
}

/**
 * Returns the tests directly in a folder. If there are none, it returns those below the folder, and if there are none either, those
 * of the folder above, unless that is the folder of a whole module.
 */
function findNearest(folder: string, slow: readonly string[]): readonly string[] {
  if (folder === "test") return [];
  const below = slow.filter((test) => test.startsWith(`${folder}/`));
  const inIt = below.filter((test) => dirname(test) === folder);
  if (below.length > 0) return inIt.length > 0 ? inIt : below;
  const above = dirname(folder);
  return dirname(above) === "test" ? [] : findNearest(above, slow);
}

/** Returns the tests across modules, and those directly in the folders of test/ above the file's. */
function acrossModules(file: string, slow: readonly string[]): readonly string[] {
  const folder = dirname(file).replace(/^src/, "test");
  return slow.filter((test) => test.startsWith(SCENARIOS) || folder.startsWith(`${dirname(test)}/`));
}

/** Returns true if the text of a test contains the path of a file, such as a script that it runs or a document that it reads. */
function isNamed(file: string, text = ""): boolean {
  return (
    file.includes("/") &&
    !file.startsWith("src/") &&
    ['"', "`", "/", " "].some((before) => text.includes(before + file))
  );
}

/** Returns the arguments of vitest. A folder whose slow files are all among them replaces these files. */
function shortenPaths(slow: readonly string[], all: readonly string[]): readonly string[] {
  const whole = (folder: string): boolean => all.every((file) => !file.startsWith(folder) || slow.includes(file));
  const outermost = (file: string): string => {
    const parts = file.split("/");
    const folders = parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join("/")}/`);
    return folders.find((folder) => whole(folder) && all.filter((one) => one.startsWith(folder)).length > 1) ?? file;
  };
  return [...new Set(slow.map(outermost))];
}

/** `scan` and what it cannot search. */
import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noNobody, sophiaAsNobody } from "../../helpers/nobody.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { skipBecause } from "../../helpers/skip.ts";
import {
  commitAll,
  SECRET_VARIABLES,
  findingsOf,
  runGit,
  KEY,
  removeObject,
  createRepository,
  runScan,
  createProject,
} from "./repository.ts";

/** A repository of which three commits hold a secret in turn, the second of them only on a side branch. */
function withSideBranch(): { readonly cwd: string; readonly side: string } {
  const cwd = createRepository({ "a.txt": "one", "other.txt": "x" });
  commitAll(cwd, "one");
  runGit(cwd, "checkout", "--quiet", "-b", "side");
  writeFileSync(join(cwd, "a.txt"), KEY);
  const side = commitAll(cwd, "two");
  runGit(cwd, "checkout", "--quiet", "-");
  writeFileSync(join(cwd, "other.txt"), "y");
  commitAll(cwd, "three");
  // The merge has the other side's file: without --full-history git does not look at this one.
  runGit(cwd, "merge", "--quiet", "--strategy=ours", "--message", "merge", "side");
  runGit(cwd, "branch", "--quiet", "--delete", "side");
  return { cwd, side };
}

/** A clone of a repository whose history, not its last commit, has a secret. */
function cloneRepository(...options: readonly string[]): string {
  const source = createRepository({ "a.txt": KEY, "sub/b.txt": "x" });
  runGit(source, "config", "uploadpack.allowFilter", "true");
  commitAll(source, "one");
  writeFileSync(join(source, "a.txt"), "clean");
  commitAll(source, "two");
  const place = folder();
  runGit(place, "clone", "--quiet", ...options, `file://${source}`, "clone");
  return join(place, "clone");
}

async function runScanReport(cwd: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = await runScan(cwd, ...args, "--json");
  const { complete, gaps, unread, more } = JSON.parse(stdout);
  return { status, complete, gaps, unread, more, stderr: unwrapLines(stderr) };
}

describe("scan --history", () => {
  test("includes side branches of a path whose change was dropped by a merge", async () => {
    const { cwd, side } = withSideBranch();
    expect(findingsOf(await runScan(cwd, "--history", "a.txt"))).toEqual([`${side} a.txt:1: API_KEY`]);
    expect((await runScan(cwd, "--history", "other.txt")).status).toBe(0);
  });

  test("refuses a path outside of the repository", async () => {
    expect(await runScan(createRepository({}), "--history", "..")).toMatchObject({ status: 125, stdout: "" });
  });

  test("reports the history of a shallow clone as incomplete, with status 2", async () => {
    const cwd = cloneRepository("--depth=1");
    expect(await runScanReport(cwd, "--history")).toMatchObject({
      status: 2,
      complete: false,
      gaps: [{ kind: "shallow" }],
      stderr: expect.stringContaining("git fetch --unshallow"),
    });
    runGit(cwd, "fetch", "--quiet", "--unshallow");
    expect(await runScanReport(cwd, "--history")).toMatchObject({ status: 1, complete: true, gaps: [], stderr: "" });
  });

  test("reports missing objects of a partial clone, does not fetch them, and prints a command that gets them", async () => {
    const cwd = cloneRepository("--filter=blob:none");
    const { stderr, ...partial } = await runScanReport(cwd, "--history");
    expect(partial).toMatchObject({ status: 2, complete: false, gaps: [{ kind: "missing", objects: 1 }] });
    expect(await runScanReport(cwd, "--history")).toMatchObject(partial);
    // Of a path all is there.
    expect(await runScanReport(cwd, "--history", "sub")).toMatchObject({ status: 0, complete: true });
    const [command = ""] = /git fetch \S+ \S+/.exec(stderr) ?? [];
    runGit(cwd, ...command.split(" ").slice(1), "--quiet");
    expect(await runScanReport(cwd, "--history")).toMatchObject({ status: 1, complete: true });
  });

  test("reports findings by the objects if trees are missing", async () => {
    const source = createRepository({ "a.txt": KEY });
    commitAll(source, "one");
    const object = runGit(source, "rev-parse", "HEAD:a.txt").trim().slice(0, 12);
    removeObject(source, "HEAD^{tree}");
    const result = await runScan(source, "--history", "a.txt");
    expect(result.status).toBe(1);
    expect(findingsOf(result)).toEqual([`${object} (unknown file):1: API_KEY`]);
    expect(result.stderr).toContain("git fsck");
  });
});

test("scan --staged names a missing object of the index, and does not fetch it", async () => {
  const cwd = createRepository({ "a.txt": KEY, "b.txt": "clean" });
  runGit(cwd, "add", ".");
  removeObject(cwd, ":a.txt");
  expect(await runScanReport(cwd, "--staged")).toMatchObject({
    status: 2,
    complete: false,
    unread: [{ file: "a.txt" }],
    stderr: expect.stringContaining("a.txt (git's object"),
  });
  // What is found counts more.
  writeFileSync(join(cwd, "b.txt"), `b ${KEY}`);
  runGit(cwd, "add", "b.txt");
  expect(await runScanReport(cwd, "--staged")).toMatchObject({ status: 1, complete: false });
});

test("scan shows another secret behind 10,000 matches, and counts the rest", async () => {
  const many = `${KEY}\n\n`.repeat(10_500);
  const cwd = createRepository({ "a.txt": `${many}SENTINEL9f2cAAAAAAAA\n`, "b.txt": "SENTINEL9f2cBBBBBBBB\n" });
  const result = await runScan(cwd);
  expect(findingsOf(result)).toContain("a.txt:21001: TLS_KEY (a line)");
  expect(result.stdout).toContain("10502 places of 2 files");
  expect(result.stdout).toContain("   501 of them");
});

test.each(["build", "build/sub", "build/sub/a.js"])("scan searches a path that git ignores: %s", async (path) => {
  const cwd = createRepository({ ".gitignore": "build/\n", "build/sub/a.js": KEY });
  expect((await runScan(cwd)).status).toBe(0);
  expect(findingsOf(await runScan(cwd, path))).toEqual(["build/sub/a.js:1: API_KEY"]);
});

test("scan searches a folder whole that is in no repository, without a folder for temporary files", async () => {
  const cwd = createProject({ ".gitignore": "a.txt\n", "a.txt": KEY });
  const options = { cwd, env: { ...SECRET_VARIABLES, TMPDIR: join(cwd, "nowhere") } };
  expect(findingsOf(await sophia(["scan"], options))).toEqual(["a.txt:1: API_KEY"]);
});

describe("scan and a path that is a symbolic link:", () => {
  test.each(["folder", "file"])("it follows a link of a %s", async (kind) => {
    const cwd = createRepository({ "real/a.txt": KEY, "real/.gitignore": "no.txt\n", "real/no.txt": KEY });
    symlinkSync(kind === "folder" ? "real" : "real/a.txt", join(cwd, "link"));
    const file = kind === "folder" ? "link/a.txt" : "link";
    expect(findingsOf(await runScan(cwd, "link"))).toEqual([`${file}:1: API_KEY`]);
  });

  test("it refuses a link to nothing, or to neither a file nor a folder", async () => {
    const cwd = createProject({});
    symlinkSync("nowhere", join(cwd, "dangling"));
    symlinkSync("/dev/null", join(cwd, "device"));
    expect(await runScan(cwd, "dangling")).toMatchObject({ status: 125, stdout: "" });
    expect((await runScan(cwd, "device")).stderr).toContain("device is neither");
  });
});

describe("scan and a file that the user may not read:", () => {
  skipBecause(noNobody);
  test.each([
    ["in a repository", true, []],
    ["without one", false, []],
    ["without git", false, ["env", "PATH=/nowhere"]],
  ])("it names the file with status 2: %s", async (_, isRepository, through) => {
    const cwd = isRepository ? createRepository({ "closed/a.txt": KEY }) : createProject({ "closed/a.txt": KEY });
    writeFileSync(join(cwd, "b.txt"), KEY);
    execFileSync("chown", ["-R", "65534:65534", cwd]);
    for (const name of ["closed", "b.txt"]) chmodSync(join(cwd, name), 0);
    const { status, stdout } = sophiaAsNobody(["scan", "--json"], {
      cwd,
      env: { ...SECRET_VARIABLES, HOME: cwd },
      through,
    });
    const { unread } = JSON.parse(stdout);
    expect(status).toBe(2);
    expect(unread.map(({ file }: { file: string }) => file).toSorted()).toEqual(["b.txt", "closed/"]);
    chmodSync(join(cwd, "closed"), 0o755);
  });
});

test("scan finds a secret in the original of a replaced object", async () => {
  const cwd = createRepository({ "a.txt": KEY });
  commitAll(cwd, "one");
  const holding = runGit(cwd, "rev-parse", "HEAD").trim();
  writeFileSync(join(cwd, "a.txt"), "clean");
  runGit(cwd, "add", ".");
  runGit(cwd, "commit", "--quiet", "--amend", "--message", "clean");
  const clean = runGit(cwd, "rev-parse", "HEAD").trim();
  runGit(cwd, "update-ref", "HEAD", holding);
  runGit(cwd, "replace", holding, clean);
  expect((await runScan(cwd, "--history")).status).toBe(1);
});

test("scan --staged counts the files of the index", async () => {
  const cwd = createRepository({ "a.txt": "clean" });
  expect((await runScan(cwd, "--staged")).stdout).toContain("0 files of the index");
  writeFileSync(join(cwd, "a.txt"), KEY);
  runGit(cwd, "add", ".");
  const { stdout } = await runScan(cwd, "--staged");
  expect(unwrapLines(stdout)).toContain("1 file of the index;");
  expect(stdout).toContain("git add");
});

/** `scan` and what it cannot search. */
import { execFileSync } from "node:child_process";
import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noNobody, sophiaAsNobody } from "../../helpers/nobody.ts";
import { folder, sophia, unwrapped } from "../../helpers/sophia.ts";
import { skipBecause } from "../../helpers/skip.ts";
import { commit, env, findings, git, KEY, removeObject, repository, scan, createProject } from "./repository.ts";

/** A repository of which three commits hold a secret in turn, the second of them only on a side branch. */
function withSideBranch(): { readonly cwd: string; readonly side: string } {
  const cwd = repository({ "a.txt": "one", "other.txt": "x" });
  commit(cwd, "one");
  git(cwd, "checkout", "--quiet", "-b", "side");
  writeFileSync(join(cwd, "a.txt"), KEY);
  const side = commit(cwd, "two");
  git(cwd, "checkout", "--quiet", "-");
  writeFileSync(join(cwd, "other.txt"), "y");
  commit(cwd, "three");
  // The merge has the other side's file: without --full-history git does not look at this one.
  git(cwd, "merge", "--quiet", "--strategy=ours", "--message", "merge", "side");
  git(cwd, "branch", "--quiet", "--delete", "side");
  return { cwd, side };
}

/** A clone of a repository whose history, not its last commit, has a secret. */
function cloned(...options: readonly string[]): string {
  const source = repository({ "a.txt": KEY, "sub/b.txt": "x" });
  git(source, "config", "uploadpack.allowFilter", "true");
  commit(source, "one");
  writeFileSync(join(source, "a.txt"), "clean");
  commit(source, "two");
  const place = folder();
  git(place, "clone", "--quiet", ...options, `file://${source}`, "clone");
  return join(place, "clone");
}

async function report(cwd: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = await scan(cwd, ...args, "--json");
  const { complete, gaps, unread, more } = JSON.parse(stdout);
  return { status, complete, gaps, unread, more, stderr: unwrapped(stderr) };
}

describe("scan --history", () => {
  test("includes side branches of a path whose change was dropped by a merge", async () => {
    const { cwd, side } = withSideBranch();
    expect(findings(await scan(cwd, "--history", "a.txt"))).toEqual([`${side} a.txt:1: API_KEY`]);
    expect((await scan(cwd, "--history", "other.txt")).status).toBe(0);
  });

  test("refuses a path outside of the repository", async () => {
    expect(await scan(repository({}), "--history", "..")).toMatchObject({ status: 125, stdout: "" });
  });

  test("reports the history of a shallow clone as incomplete, with status 2", async () => {
    const cwd = cloned("--depth=1");
    expect(await report(cwd, "--history")).toMatchObject({
      status: 2,
      complete: false,
      gaps: [{ kind: "shallow" }],
      stderr: expect.stringContaining("git fetch --unshallow"),
    });
    git(cwd, "fetch", "--quiet", "--unshallow");
    expect(await report(cwd, "--history")).toMatchObject({ status: 1, complete: true, gaps: [], stderr: "" });
  });

  test("reports missing objects of a partial clone, does not fetch them, and prints a command that gets them", async () => {
    const cwd = cloned("--filter=blob:none");
    const { stderr, ...partial } = await report(cwd, "--history");
    expect(partial).toMatchObject({ status: 2, complete: false, gaps: [{ kind: "missing", objects: 1 }] });
    expect(await report(cwd, "--history")).toMatchObject(partial);
    // Of a path all is there.
    expect(await report(cwd, "--history", "sub")).toMatchObject({ status: 0, complete: true });
    const [command = ""] = /git fetch \S+ \S+/.exec(stderr) ?? [];
    git(cwd, ...command.split(" ").slice(1), "--quiet");
    expect(await report(cwd, "--history")).toMatchObject({ status: 1, complete: true });
  });

  test("reports findings by the objects if trees are missing", async () => {
    const source = repository({ "a.txt": KEY });
    commit(source, "one");
    const object = git(source, "rev-parse", "HEAD:a.txt").trim().slice(0, 12);
    removeObject(source, "HEAD^{tree}");
    const result = await scan(source, "--history", "a.txt");
    expect(result.status).toBe(1);
    expect(findings(result)).toEqual([`${object} (unknown file):1: API_KEY`]);
    expect(result.stderr).toContain("git fsck");
  });
});

test("scan --staged names a missing object of the index, and does not fetch it", async () => {
  const cwd = repository({ "a.txt": KEY, "b.txt": "clean" });
  git(cwd, "add", ".");
  removeObject(cwd, ":a.txt");
  expect(await report(cwd, "--staged")).toMatchObject({
    status: 2,
    complete: false,
    unread: [{ file: "a.txt" }],
    stderr: expect.stringContaining("a.txt (git's object"),
  });
  // What is found counts more.
  writeFileSync(join(cwd, "b.txt"), `b ${KEY}`);
  git(cwd, "add", "b.txt");
  expect(await report(cwd, "--staged")).toMatchObject({ status: 1, complete: false });
});

test("scan shows another secret behind 10,000 matches, and counts the rest", async () => {
  const many = `${KEY}\n\n`.repeat(10_500);
  const cwd = repository({ "a.txt": `${many}SENTINEL9f2cAAAAAAAA\n`, "b.txt": "SENTINEL9f2cBBBBBBBB\n" });
  const result = await scan(cwd);
  expect(findings(result)).toContain("a.txt:21001: TLS_KEY (a line)");
  expect(result.stdout).toContain("10502 places of 2 files");
  expect(result.stdout).toContain("   501 of them");
});

test.each(["build", "build/sub", "build/sub/a.js"])("scan searches a path that git ignores: %s", async (path) => {
  const cwd = repository({ ".gitignore": "build/\n", "build/sub/a.js": KEY });
  expect((await scan(cwd)).status).toBe(0);
  expect(findings(await scan(cwd, path))).toEqual(["build/sub/a.js:1: API_KEY"]);
});

test("scan searches a folder whole that is in no repository, without a folder for temporary files", async () => {
  const cwd = createProject({ ".gitignore": "a.txt\n", "a.txt": KEY });
  const options = { cwd, env: { ...env, TMPDIR: join(cwd, "nowhere") } };
  expect(findings(await sophia(["scan"], options))).toEqual(["a.txt:1: API_KEY"]);
});

describe("scan and a path that is a symbolic link:", () => {
  test.each(["folder", "file"])("it follows a link of a %s", async (kind) => {
    const cwd = repository({ "real/a.txt": KEY, "real/.gitignore": "no.txt\n", "real/no.txt": KEY });
    symlinkSync(kind === "folder" ? "real" : "real/a.txt", join(cwd, "link"));
    const file = kind === "folder" ? "link/a.txt" : "link";
    expect(findings(await scan(cwd, "link"))).toEqual([`${file}:1: API_KEY`]);
  });

  test("it refuses a link to nothing, or to neither a file nor a folder", async () => {
    const cwd = createProject({});
    symlinkSync("nowhere", join(cwd, "dangling"));
    symlinkSync("/dev/null", join(cwd, "device"));
    expect(await scan(cwd, "dangling")).toMatchObject({ status: 125, stdout: "" });
    expect((await scan(cwd, "device")).stderr).toContain("device is neither");
  });
});

describe("scan and a file that the user may not read:", () => {
  skipBecause(noNobody);
  test.each([
    ["in a repository", true, []],
    ["without one", false, []],
    ["without git", false, ["env", "PATH=/nowhere"]],
  ])("it names the file with status 2: %s", async (_, isRepository, through) => {
    const cwd = isRepository ? repository({ "closed/a.txt": KEY }) : createProject({ "closed/a.txt": KEY });
    writeFileSync(join(cwd, "b.txt"), KEY);
    execFileSync("chown", ["-R", "65534:65534", cwd]);
    for (const name of ["closed", "b.txt"]) chmodSync(join(cwd, name), 0);
    const { status, stdout } = sophiaAsNobody(["scan", "--json"], { cwd, env: { ...env, HOME: cwd }, through });
    const { unread } = JSON.parse(stdout);
    expect(status).toBe(2);
    expect(unread.map(({ file }: { file: string }) => file).toSorted()).toEqual(["b.txt", "closed/"]);
    chmodSync(join(cwd, "closed"), 0o755);
  });
});

test("scan finds a secret in the original of a replaced object", async () => {
  const cwd = repository({ "a.txt": KEY });
  commit(cwd, "one");
  const holding = git(cwd, "rev-parse", "HEAD").trim();
  writeFileSync(join(cwd, "a.txt"), "clean");
  git(cwd, "add", ".");
  git(cwd, "commit", "--quiet", "--amend", "--message", "clean");
  const clean = git(cwd, "rev-parse", "HEAD").trim();
  git(cwd, "update-ref", "HEAD", holding);
  git(cwd, "replace", holding, clean);
  expect((await scan(cwd, "--history")).status).toBe(1);
});

test("scan --staged counts the files of the index", async () => {
  const cwd = repository({ "a.txt": "clean" });
  expect((await scan(cwd, "--staged")).stdout).toContain("0 files of the index");
  writeFileSync(join(cwd, "a.txt"), KEY);
  git(cwd, "add", ".");
  const { stdout } = await scan(cwd, "--staged");
  expect(unwrapped(stdout)).toContain("1 file of the index;");
  expect(stdout).toContain("git add");
});

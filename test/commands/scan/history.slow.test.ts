/** What `scan` finds besides the contents of files: stashes, the reflog, names, links, submodules. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { type ProcessResult, folder, sophia, sophiaRun, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { escVariables } from "../sophia-environment.ts";
import { commitAll, SECRET_VARIABLES, findingsOf, runGit, KEY, createRepository, runScan } from "./repository.ts";

const SECRETS = join(import.meta.dirname, "../../../docs/secrets.md");
/** A value that can stand in a name, as a line of the key TLS_KEY. */
const NAME = "SENTINEL9f2cAAAAAAAA";

/** The lines of findings in names and links, which have no line numbers. */
function findingsInNames({ stdout }: ProcessResult): readonly string[] {
  return stdout
    .split("\n")
    .filter((line) => / \(.*in the (?:name|target)/.test(line))
    .map((line) => line.replace(/^[0-9a-f]{12} /, ""));
}

/** The wording of a report, without what each run has of its own. */
function expectReport({ stdout }: ProcessResult): void {
  expectWording(
    stdout.replaceAll(/^[0-9a-f]{12} /gm, "<commit> ").replace(/\d+ objects searched/, "<n> objects searched"),
  );
}

function withCommit(): string {
  const cwd = createRepository({ "a.txt": "clean\n" });
  commitAll(cwd, "one");
  return cwd;
}

describe("scan --history finds a secret that only the reflog reaches:", () => {
  test("in an older stash", async () => {
    const cwd = withCommit();
    for (const text of [KEY, "clean 2\n", "clean 3\n"]) {
      writeFileSync(join(cwd, "a.txt"), text);
      runGit(cwd, "stash", "push", "--quiet");
    }
    const result = await runScan(cwd, "--history");
    expect(result.status).toBe(1);
    expect(findingsOf(result).map((line) => line.slice(13))).toEqual(["a.txt:1: API_KEY (only in the reflog)"]);
    expectReport(result);
    // The last stash is a branch's equal.
    runGit(cwd, "stash", "drop", "--quiet", "stash@{0}");
    runGit(cwd, "stash", "drop", "--quiet", "stash@{0}");
    expect(findingsOf(await runScan(cwd, "--history")).map((line) => line.slice(13))).toEqual(["a.txt:1: API_KEY"]);
  });

  test("in a commit that was amended, and in its message, and names the commit", async () => {
    const cwd = withCommit();
    writeFileSync(join(cwd, "b.txt"), KEY);
    const amended = commitAll(cwd, `with ${KEY}`);
    writeFileSync(join(cwd, "b.txt"), "clean");
    runGit(cwd, "add", ".");
    runGit(cwd, "commit", "--quiet", "--amend", "--message", "clean");
    const result = await runScan(cwd, "--history");
    expect(result.status).toBe(1);
    expect(findingsOf(result).map((line) => line.replace(/(?<=message\)):\d+/, ":N"))).toEqual(
      [
        `${amended} (message):N: API_KEY (only in the reflog)`,
        `${amended} b.txt:1: API_KEY (only in the reflog)`,
      ].toSorted(),
    );
    const { findings: list } = JSON.parse((await runScan(cwd, "--history", "--json")).stdout);
    expect(list[0]).toMatchObject({ within: "content", onlyInReflog: true });
  });

  test("in a branch that was deleted, and in the branch's name", async () => {
    const cwd = withCommit();
    runGit(cwd, "checkout", "--quiet", "-b", "side");
    writeFileSync(join(cwd, `${NAME}.txt`), KEY);
    commitAll(cwd, "two");
    runGit(cwd, "checkout", "--quiet", "-");
    runGit(cwd, "branch", "--quiet", "--delete", "--force", "side");
    const result = await runScan(cwd, "--history");
    expect(findingsOf(result)).toHaveLength(1);
    expect(findingsInNames(result)).toEqual(["***.txt: TLS_KEY (a line, in the name, only in the reflog)"]);
  });

  test("but counts objects to which nothing refers, except those of the index", async () => {
    const cwd = withCommit();
    writeFileSync(join(cwd, "a.txt"), `${KEY} 1`);
    runGit(cwd, "add", ".");
    writeFileSync(join(cwd, "a.txt"), `${KEY} 2`);
    runGit(cwd, "add", ".");
    const { status, stderr, stdout } = await runScan(cwd, "--history", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ found: false, complete: true, unreachable: 1 });
    const [command = ""] = /git gc \S+/.exec(stderr) ?? [];
    runGit(cwd, ...command.split(" ").slice(1), "--quiet");
    expect(await runScan(cwd, "--history")).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("scan --history finds a secret in the name of a file", () => {
  test("of the history, with the commit that added it, although the content has another name now", async () => {
    const cwd = withCommit();
    writeFileSync(join(cwd, `${NAME}.txt`), "content");
    const added = commitAll(cwd, "two");
    renameSync(join(cwd, `${NAME}.txt`), join(cwd, "clean.txt"));
    commitAll(cwd, "three");
    const result = await runScan(cwd, "--history");
    expect(result.status).toBe(1);
    expect(result.stdout).toContain(`${added} ***.txt: TLS_KEY (a line, in the name)\n`);
    expectReport(result);
    expect((await runScan(cwd)).status).toBe(0);
    // Names outside of the path do not count.
    expect((await runScan(cwd, "--history", "clean.txt")).status).toBe(0);
    const { findings: list } = JSON.parse((await runScan(cwd, "--history", "--json")).stdout);
    expect(list).toMatchObject([{ file: "***.txt", within: "name", variable: "TLS_KEY" }]);
  });

  test("across folders, in a folder's name once, and in what only a merge added", async () => {
    const cwd = withCommit();
    runGit(cwd, "checkout", "--quiet", "-b", "side");
    commitAll(cwd, "side");
    runGit(cwd, "checkout", "--quiet", "-");
    commitAll(cwd, "main");
    runGit(cwd, "merge", "--quiet", "--no-ff", "--no-commit", "side");
    const [above, below] = KEY.split("/");
    mkdirSync(join(cwd, above ?? ""));
    writeFileSync(join(cwd, above ?? "", below ?? ""), "x");
    mkdirSync(join(cwd, NAME, "sub"), { recursive: true });
    for (const number of [1, 2, 3]) writeFileSync(join(cwd, NAME, `sub/${number}.txt`), "x");
    commitAll(cwd, "merge");
    const expected = ["***/: TLS_KEY (a line, in the name)", "***: API_KEY (in the name)"];
    for (const option of ["--history", "--staged", ""]) {
      const result = await runScan(cwd, ...(option === "" ? [] : [option]));
      expect(findingsInNames(result).toSorted()).toEqual(expected.toSorted());
      expect(result.status).toBe(1);
    }
  });

  test("among 3,000 files and commits", async () => {
    const files = Array.from(
      { length: 3000 },
      (_, number) => [`some/long/folder/name/file-${number}.txt`, "x"] as const,
    );
    const cwd = createRepository({ ...Object.fromEntries(files), [`some/long/${NAME}`]: "x" });
    commitAll(cwd, "one");
    for (const option of ["--history", "--staged", "."]) {
      expect(findingsInNames(await runScan(cwd, option))).toEqual(["some/long/***: TLS_KEY (a line, in the name)"]);
    }
  });
});

test("scan searches the names of branches and tags, but not for a path", async () => {
  const cwd = withCommit();
  runGit(cwd, "branch", KEY);
  runGit(cwd, "tag", `v-${NAME}`);
  const result = await runScan(cwd, "--history");
  expect(findingsInNames(result)).toEqual([
    "refs/heads/***: API_KEY (in the name of the ref)",
    "refs/tags/v-***: TLS_KEY (a line, in the name of the ref)",
  ]);
  expect(result.status).toBe(1);
  expectReport(result);
  expect((await runScan(cwd, "--history", "a.txt")).status).toBe(0);
});

describe("scan: the target of a symbolic link", () => {
  test("is searched in the tree, in the index and in the history", async () => {
    const cwd = withCommit();
    symlinkSync(`/nowhere/${NAME}`, join(cwd, "link"));
    expect(findingsInNames(await runScan(cwd))).toEqual(["link: TLS_KEY (a line, in the target of the link)"]);
    runGit(cwd, "add", ".");
    expect(findingsOf(await runScan(cwd, "--staged"))).toEqual(["link:1: TLS_KEY (a line)"]);
    const added = commitAll(cwd, "link");
    rmSync(join(cwd, "link"));
    commitAll(cwd, "without");
    expect(findingsOf(await runScan(cwd, "--history"))).toEqual([`${added} link:1: TLS_KEY (a line)`]);
  });

  test("is searched without git", async () => {
    const cwd = folder({ "sophia.contract.json": '{"variables": {"TLS_KEY": {}}}' });
    symlinkSync(`/nowhere/${NAME}`, join(cwd, "link"));
    const result = await sophia(["scan"], { cwd, env: { ...SECRET_VARIABLES, PATH: "/nowhere" } });
    expect(findingsInNames(result)).toEqual(["link: TLS_KEY (a line, in the target of the link)"]);
  });
});

describe("scan: submodules", () => {
  const LOCAL = ["-c", "protocol.file.allow=always"];

  /** A repository with a submodule, which has one as well; both have a secret in an earlier commit. */
  function nested(): { readonly cwd: string; readonly outer: string; readonly inner: string } {
    const make = (below?: string): { readonly cwd: string; readonly first: string } => {
      const cwd = createRepository({ "b.txt": KEY });
      const first = commitAll(cwd, "one");
      writeFileSync(join(cwd, "b.txt"), "clean");
      if (below !== undefined) runGit(cwd, ...LOCAL, "submodule", "--quiet", "add", below, "inner");
      commitAll(cwd, "two");
      return { cwd, first };
    };
    const inner = make();
    const outer = make(inner.cwd);
    const cwd = createRepository({ "sub dir/a.txt": "clean" });
    runGit(cwd, ...LOCAL, "submodule", "--quiet", "add", outer.cwd, "outer");
    commitAll(cwd, "with a submodule");
    return { cwd, outer: outer.first, inner: inner.first };
  }

  test("that are missing are named with status 2, and the printed command gets them", async () => {
    const { cwd, outer, inner } = nested();
    const without = await runScan(cwd, "--history", "--json");
    expect(without.status).toBe(1);
    expect(JSON.parse(without.stdout)).toMatchObject({
      complete: false,
      gaps: [{ kind: "submodules", files: ["outer/inner"] }],
      findings: [{ repository: "outer", file: "b.txt" }],
    });
    const place = folder();
    runGit(place, "clone", "--quiet", cwd, "clone");
    const clone = join(place, "clone");
    const result = await runScan(clone, "--history");
    expect(result.status).toBe(2);
    expect(result.stderr).toContain("1 submodule was not searched\n  outer\n");
    expectReport(result);
    const [command = ""] = /git submodule [^\n]+/.exec(result.stderr) ?? [];
    runGit(clone, ...LOCAL, ...command.split(" ").slice(1), "--quiet");
    const complete = await runScan(clone, "--history");
    expect(complete).toMatchObject({ status: 1, stderr: "" });
    expect(findingsOf(complete)).toEqual(
      [`${outer} outer/b.txt:1: API_KEY`, `${inner} outer/inner/b.txt:1: API_KEY`].toSorted(),
    );
    // In a hook git sets the variables of the repository above.
    const inHook = { ...SECRET_VARIABLES, GIT_DIR: join(clone, ".git"), GIT_INDEX_FILE: join(clone, ".git/index") };
    const fromHook = await sophia(["scan", "--history"], { cwd: clone, env: inHook });
    expect(findingsOf(fromHook)).toEqual(findingsOf(complete));
    // Also from a folder below, by the path from there.
    expect(findingsOf(await runScan(join(clone, "sub dir"), "--history"))).toContain(
      `${outer} ../outer/b.txt:1: API_KEY`,
    );
    expect((await runScan(clone, "--history", "sub dir")).status).toBe(0);
  });

  test("whose repository is replaced by nothing are not confused with the repository above", async () => {
    const { cwd } = nested();
    rmSync(join(cwd, "outer/.git"));
    const result = await runScan(cwd, "--history");
    expect(result.status).toBe(2);
    expect(result.stderr).toContain("outer");
  });
});

/** Searches the index of a repository with a secret of ESC, which then answers with a failure. */
async function scanStagedWithFailure(
  status: number,
  local: Readonly<Record<string, string>>,
  ...args: readonly string[]
) {
  await using server = await startEscServer();
  server.environment("acme/sophia/dev", { values: { API_KEY: secret(KEY) } });
  const cwd = createRepository({ "a.txt": KEY });
  runGit(cwd, "add", ".");
  const variables = { ...escVariables(server), ...local };
  expect((await sophia(["scan", "--staged"], { cwd, env: variables })).status).toBe(1);
  server.failAlways("open", status);
  const result = await sophia(["scan", "--staged", ...args], { cwd, env: variables });
  expect(result.stdout + result.stderr).not.toContain("SENTINEL");
  return result;
}

describe("scan without the values of ESC", () => {
  test.each([
    ["not available", 503],
    ["refuses access", 403],
  ])("says what was searched for, and has status 2: ESC %s", async (words, code) => {
    const result = await scanStagedWithFailure(code, { MODE: "some-other-secret" });
    expect(result.status).toBe(2);
    expect(result.stdout).toMatch(/^⚠️ .* ESC /);
    expect(unwrapLines(result.stderr)).toContain(words);
    expect(unwrapLines(result.stderr)).toMatch(/only those of .*MODE/);
    expectReport(result);
  });

  test("says that nothing was searched for if there is no other value", async () => {
    await using server = await startEscServer();
    const cwd = createRepository({ "a.txt": KEY });
    runGit(cwd, "add", ".");
    const callerEnvironment = { ...escVariables(server), SOPHIA_JSON: "" };
    server.failAlways("open", 503);
    const result = await sophia(["scan", "--staged"], { cwd, env: callerEnvironment });
    expect(result.status).toBe(2);
    expect(result.stdout).toContain("⚠️");
    expect(result.stdout).not.toContain("✅");
  });

  test("ends with an error with --require-esc", async () => {
    expect(await scanStagedWithFailure(503, {}, "--require-esc")).toMatchObject({ status: 125, stdout: "" });
  });

  test("makes git refuse a commit by the hook of the documents", async () => {
    await using server = await startEscServer();
    server.environment("acme/sophia/dev", { values: { API_KEY: secret(KEY) } });
    const cwd = createRepository({ "a.txt": "clean" });
    const program = sophiaRun.map((word) => `'${word}'`).join(" ");
    const [, command = ""] = /`sophia-run (scan --staged[^`]*)`/.exec(readFileSync(SECRETS, "utf8")) ?? [];
    writeFileSync(join(cwd, ".git/hooks/pre-commit"), `#!/bin/sh\nexec ${program} ${command}\n`, { mode: 0o755 });
    const variables = { PATH: process.env["PATH"], HOME: cwd, ...escVariables(server) };
    const identity = ["-c", "user.name=n", "-c", "user.email=e@example.test"];
    const tryCommit = async (): Promise<number | null> => {
      runGit(cwd, "add", ".");
      // Not by a synchronous call: the server is in this process.
      const child = spawn("git", [...identity, "commit", "--quiet", "--message", "m"], { cwd, env: variables });
      const [status] = await once(child, "close");
      return status;
    };
    expect(await tryCommit()).toBe(0);
    writeFileSync(join(cwd, "a.txt"), KEY);
    expect(await tryCommit()).not.toBe(0);
    server.failAlways("open", 503);
    writeFileSync(join(cwd, "a.txt"), "clean again");
    expect(await tryCommit()).not.toBe(0);
    server.heal();
    expect(await tryCommit()).toBe(0);
  });

  test("has the status of a finding if there is one", async () => {
    const result = await scanStagedWithFailure(503, { API_KEY: KEY });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("--require-esc");
  });
});

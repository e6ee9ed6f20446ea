import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { notInstalled, skipBecause } from "../helpers/skip.ts";
import { folder, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { runProgram, type ProcessResult } from "../esc/run-program.ts";

const ME = 4101;
const OTHER = 4102;
const CONTRACT = JSON.stringify({ variables: { FROM_CONTRACT: { default: "yes" } } });

skipBecause(process.geteuid?.() === 0 ? notInstalled("setpriv", "--version") : "needs root, to give files to others");

/** Starts `env` under a user; the files are found from `cwd`. */
function startAs(uid: number, cwd: string, options: readonly string[] = [], variables = {}): Promise<ProcessResult> {
  const as = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--"] as const;
  return runProgram([...as, ...sophiaRun, ...options, "--", "/usr/bin/env"], variables, cwd);
}

interface Made {
  readonly uid?: number;
  readonly mode?: number;
}

/** A repository below a folder that stands for /tmp, with the file in one of them. */
function createSurroundings(
  name: ".env" | "sophia.contract.json",
  { file = {}, above = {}, cwd = {}, isAbove = false }: Situation,
): string {
  const top = folder();
  const repository = join(top, "repository");
  mkdirSync(repository);
  const path = join(isAbove ? top : repository, name);
  writeFileSync(path, name === ".env" ? "FROM_FILE=yes\n" : CONTRACT);
  const make = (what: string, { uid = ME, mode }: Made, usual: number): void => {
    chownSync(what, uid, uid);
    chmodSync(what, mode ?? usual);
  };
  make(path, file, 0o644);
  make(top, above, 0o755);
  make(repository, cwd, 0o755);
  return repository;
}

interface Situation {
  readonly file?: Made;
  /** The folder above the working directory. */
  readonly above?: Made;
  readonly cwd?: Made;
  /** The file is in the folder above. */
  readonly isAbove?: boolean;
  readonly user?: number;
}

type Row = readonly [what: string, situation: Situation, message: string];

const COUNTING: readonly Row[] = [
  ["the user's own", {}, ""],
  ["root's", { file: { uid: 0 } }, ""],
  ["the owner's of the working directory, for root", { user: 0 }, ""],
  ["the owner's of the working directory, for any user", { user: OTHER }, ""],
  ["one that the group may write", { file: { mode: 0o664 }, cwd: { mode: 0o775 } }, ""],
  ["a world-writable one in a world-writable folder", { file: { mode: 0o777 }, cwd: { mode: 0o777 } }, ""],
];

const DISTRUSTED: readonly Row[] = [
  ["another user's", { file: { uid: OTHER } }, `(uid ${OTHER})`],
  ["another user's, for root", { file: { uid: OTHER }, user: 0 }, `(uid ${OTHER})`],
  ["another user's in a world-writable folder", { file: { uid: OTHER }, cwd: { mode: 0o1777, uid: 0 } }, "(uid "],
  ["a world-writable one", { file: { mode: 0o666 } }, "chmod o-w "],
];

describe("a .env file", () => {
  test.each(COUNTING)("is used if it is %s", async (_, situation) => {
    const cwd = createSurroundings(".env", situation);
    const { status, stdout, stderr } = await startAs(situation.user ?? ME, cwd, ["--no-contract"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("FROM_FILE=yes");
  });

  test.each(DISTRUSTED)("is ignored, unless the user names it, if it is %s", async (_, situation, message) => {
    const cwd = createSurroundings(".env", situation);
    const user = situation.user ?? ME;
    const { status, stdout, stderr } = await startAs(user, cwd, ["--no-contract"]);
    expect(status).toBe(0);
    expect(stdout).not.toContain("FROM_FILE");
    expect(stderr).toContain("warning: .env is");
    expect(stderr).toContain(message);
    expect(stderr).toContain("--dotenv .env");
    for (const [options, variables] of [
      [["--dotenv", ".env"], {}],
      [[], { SOPHIA_DOTENV: ".env" }],
    ] as const) {
      const named = await startAs(user, cwd, ["--no-contract", ...options], variables);
      expect(named).toMatchObject({ status: 0, stderr: "" });
      expect(named.stdout).toContain("FROM_FILE=yes");
    }
  });

  test("that is a pipe, or another user's private file, is ignored, too", async () => {
    const cwd = createSurroundings(".env", { file: { uid: OTHER, mode: 0o600 } });
    const secret = await startAs(ME, cwd, ["--no-contract"]);
    expect(secret).toMatchObject({ status: 0 });
    expect(secret.stderr).toContain(`(uid ${OTHER})`);
    unlinkSync(join(cwd, ".env"));
    execFileSync("mkfifo", [join(cwd, ".env")]);
    chownSync(join(cwd, ".env"), OTHER, OTHER);
    const pipe = await startAs(ME, cwd, ["--no-contract"]);
    expect(pipe).toMatchObject({ status: 0 });
    expect(pipe.stderr).toBe(secret.stderr);
  });

  test("becomes trusted by the printed command", async () => {
    const cwd = createSurroundings(".env", { file: { mode: 0o666 } });
    const { stderr } = await startAs(ME, cwd, ["--no-contract"]);
    const command = /; (chmod [^,]*),/.exec(unwrapLines(stderr))?.[1] ?? "";
    await runProgram(["sh", "-c", command], {}, cwd);
    expect((await startAs(ME, cwd, ["--no-contract"])).stdout).toContain("FROM_FILE=yes");
  });

  test("that is another user's link to a file of the caller is ignored in a world-writable folder", async () => {
    const cwd = createSurroundings(".env", { cwd: { mode: 0o1777, uid: 0 } });
    const mine = folder({ values: "FROM_FILE=yes\n" });
    chmodSync(mine, 0o755);
    chownSync(join(mine, "values"), ME, ME);
    const { stdout: real } = await startAs(ME, cwd, ["--no-contract"]);
    expect(real).toContain("FROM_FILE=yes");
    const inner = join(cwd, "inner");
    mkdirSync(inner);
    chmodSync(inner, 0o1777);
    await runProgram(
      ["setpriv", `--reuid=${OTHER}`, "--clear-groups", "--", "ln", "-s", join(mine, "values"), join(inner, ".env")],
      {},
      inner,
    );
    const { stdout, stderr } = await startAs(ME, inner, ["--no-contract"]);
    expect(stdout).not.toContain("FROM_FILE");
    expect(stderr).toContain(`(uid ${OTHER})`);
  });

  test("that is a link of the owner to a file of the owner is followed", async () => {
    const cwd = createSurroundings(".env", {});
    const inner = join(cwd, "inner");
    mkdirSync(inner);
    mkdirSync(join(cwd, ".git"));
    symlinkSync("../.env", join(inner, ".env"));
    expect((await startAs(ME, inner, ["--no-contract"])).stdout).toContain("FROM_FILE=yes");
  });
});

describe("a contract", () => {
  test.each<Row>([
    ...COUNTING,
    ["in a folder above", { isAbove: true }, ""],
    ["root's in a folder above", { isAbove: true, file: { uid: 0 }, above: { uid: 0 } }, ""],
  ])("is used if it is %s", async (_, situation) => {
    const cwd = createSurroundings("sophia.contract.json", situation);
    const { status, stdout, stderr } = await startAs(situation.user ?? ME, cwd);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("FROM_CONTRACT=yes");
  });

  const above = { mode: 0o1777, uid: 0 };
  test.each<Row>([
    ...DISTRUSTED,
    ["another user's in /tmp", { isAbove: true, above, file: { uid: OTHER } }, `(uid ${OTHER})`],
    ["another user's in /tmp, for root", { isAbove: true, above, file: { uid: OTHER }, user: 0 }, `(uid ${OTHER})`],
    ["one in /tmp", { isAbove: true, above }, "sophia.contract.json"],
    ["one in a world-writable folder", { isAbove: true, above: { mode: 0o777 } }, "chmod o-w "],
  ])("ends the start, without a fall-back to the built-in contract, if it is %s", async (_, situation, message) => {
    const cwd = createSurroundings("sophia.contract.json", situation);
    const user = situation.user ?? ME;
    for (const options of [[], ["--no-contract"]]) {
      const { status, stdout, stderr } = await startAs(user, cwd, options);
      expect([status, stdout]).toEqual([125, ""]);
      expect(unwrapLines(stderr)).toContain(message);
      expect(unwrapLines(stderr)).toMatch(/--contract \S*sophia\.contract\.json/);
    }
    const path = situation.isAbove === true ? "../sophia.contract.json" : "sophia.contract.json";
    for (const [options, variables] of [
      [["--contract", path], {}],
      [[], { SOPHIA_CONTRACT: path }],
    ] as const) {
      const named = await startAs(user, cwd, options, variables);
      expect(named).toMatchObject({ status: 0, stderr: "" });
      expect(named.stdout).toContain("FROM_CONTRACT=yes");
    }
  });
});

test("a start trusts the base of a found contract and the .env file in its folder only if their owner is trusted", async () => {
  const cwd = createSurroundings("sophia.contract.json", {});
  writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify({ extends: "base.json" }));
  writeFileSync(join(cwd, "base.json"), CONTRACT);
  chmodSync(join(cwd, "base.json"), 0o666);
  const { status, stderr } = await startAs(ME, cwd);
  expect(status).toBe(125);
  expect(unwrapLines(stderr)).toContain("chmod o-w base.json");
  expect((await startAs(ME, cwd, ["--contract", "sophia.contract.json"])).status).toBe(0);
  chmodSync(join(cwd, "base.json"), 0o644);
  writeFileSync(join(cwd, ".env"), "FROM_FILE=yes\n");
  chownSync(join(cwd, ".env"), OTHER, OTHER);
  const inner = join(cwd, "package");
  mkdirSync(inner);
  const passed = await startAs(ME, inner);
  expect(passed.status).toBe(0);
  expect(unwrapLines(passed.stderr)).toContain(`${join(cwd, ".env")} is`);
});

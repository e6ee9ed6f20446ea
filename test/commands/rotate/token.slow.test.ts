import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EscServer } from "../../esc-server/index.ts";
import type { Token } from "../../esc-server/tokens.ts";
import { type ProcessResult, folder, sophia, sophiaRun, unwrapLines } from "../../helpers/sophia.ts";
import { isAlive, startProcess } from "../../helpers/start-process.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL } from "../sophia-environment.ts";
import { expectNoToken, expectTokenWording, startTokenScene, type TokenScene } from "./token-scene.ts";

interface ProcessScene extends TokenScene {
  readonly run: (args?: readonly string[], env?: Readonly<Record<string, string>>) => Promise<ProcessResult>;
}

async function startEscWithToken(owner?: Token["owner"]): Promise<ProcessScene> {
  const tokenScene = await startTokenScene(owner);
  const run: ProcessScene["run"] = (args = ["--yes"], env = {}) =>
    sophia(["rotate", "--token", ...args], { env: { ...tokenScene.env, ...env } });
  return { ...tokenScene, run };
}

test("rotate stores a new token that may only open twice, and deletes the old one last", async () => {
  const tokenScene = await startEscWithToken();
  const result = await tokenScene.run(["--yes", "--expires", "30d"]);
  expect(result).toMatchObject({ status: 0, stderr: "" });
  const operations = tokenScene.server.calls.map(({ operation }) => operation);
  const value = tokenScene.stored("actions") ?? "";
  expect(tokenScene.stored("codespaces")).toBe(value);
  expect([await tokenScene.isAlive(value), await tokenScene.isAlive(tokenScene.old.value)]).toEqual([true, false]);
  // The first two run at the same time.
  const calls = tokenScene.calls().split("\n");
  expect([...calls.slice(0, 2).toSorted(), ...calls.slice(2)]).toEqual([
    ...["actions", "codespaces"].map((app) => `secret list --app ${app} --json name,updatedAt`),
    ...["actions", "codespaces"].flatMap((app) => [
      `secret set ESC_TOKEN --app ${app}`,
      `secret list --app ${app} --json name,updatedAt`,
    ]),
    "",
  ]);
  expect(operations.filter((operation) => operation === "createToken")).toHaveLength(1);
  expect(operations.slice(-2)).toEqual(["deleteToken", "listTokens"]);
  expectTokenWording(result.stdout);
  expect(tokenScene.server.violations).toEqual([]);
  expectNoToken(tokenScene, result);
});

test("rotate reads the table that an earlier gh lists", async () => {
  const tokenScene = await startEscWithToken();
  expect(await tokenScene.run(["--yes"], { EARLIER: "1" })).toMatchObject({ status: 0, stderr: "" });
  expect([
    await tokenScene.isAlive(tokenScene.stored("codespaces") ?? ""),
    await tokenScene.isAlive(tokenScene.old.value),
  ]).toEqual([true, false]);
});

test("rotate accepts a secret as stored that was already set in the same second", async () => {
  const tokenScene = await startEscWithToken();
  expect(await tokenScene.run()).toMatchObject({ status: 0 });
  const [first, before] = [tokenScene.stored("actions") ?? "", tokenScene.calls().split("\n").length];
  writeFileSync(join(tokenScene.stub, "same-second"), "");
  expect(await tokenScene.run(["--yes"], { ESC_TOKEN: first })).toMatchObject({ status: 0, stderr: "" });
  expect([await tokenScene.isAlive(first), await tokenScene.isAlive(tokenScene.stored("actions") ?? "")]).toEqual([
    false,
    true,
  ]);
  expect(
    tokenScene
      .calls()
      .split("\n")
      .slice(before - 1)
      .filter((call) => call.startsWith("secret set")),
  ).toHaveLength(3);
});

test("rotate does not accept a secret as stored that keeps its former time", async () => {
  const tokenScene = await startEscWithToken();
  expect(await tokenScene.run()).toMatchObject({ status: 0 });
  const first = tokenScene.stored("actions") ?? "";
  const result = await tokenScene.run(["--yes"], { ESC_TOKEN: first, FORGETFUL: "1" });
  expect(result.status).toBe(125);
  expectTokenWording(result.stderr);
  expect([await tokenScene.isAlive(first), tokenScene.stored("actions")]).toEqual([true, first]);
});

test("rotate makes a token of a team, and of a user, which the service does not distinguish from others", async () => {
  const team = await startEscWithToken({ kind: "team", organization: "acme", team: "web" });
  expect(await team.run()).toMatchObject({ status: 0, stderr: "" });
  expect(await team.isAlive(team.old.value)).toBe(false);
  const personal = await startEscWithToken({ kind: "personal", login: "demo-user" });
  // Without a name.
  const nameless = personal.server.addToken({ owner: personal.old.owner, access: "read" });
  const unknown = await personal.run(["--yes"], { ESC_TOKEN: nameless.value });
  expect(unknown.status).toBe(125);
  expect(unknown.stderr).toContain("--kind");
  expectWording(unknown.stderr);
  const result = await personal.run(["--yes", "--kind", "personal"], { ESC_TOKEN: nameless.value });
  expect(result).toMatchObject({ status: 0, stderr: "" });
  expectTokenWording(result.stdout);
  expect(await personal.isAlive(nameless.value)).toBe(true);
  expect([...team.server.violations, ...personal.server.violations]).toEqual([]);
});

describe("rotate makes no token", () => {
  test.each<readonly [string, readonly string[], Readonly<Record<string, string>>, number, string]>([
    ["--dry-run", ["--dry-run"], {}, 0, "--dry-run"],
    ["no terminal and no --yes", [], {}, 125, "--yes"],
    ["gh that is not signed in", ["--yes"], { FAIL: "secret list.*codespaces" }, 125, "gh auth login"],
    ["no gh", ["--yes"], { PATH: "/nowhere" }, 125, "gh"],
    ["no writing token", ["--yes"], { ESC_ADMIN_TOKEN: "" }, 125, "ESC_ADMIN_TOKEN"],
    ["a strange end", ["--yes", "--expires", "soon"], {}, 125, "--expires"],
    ["a name, too", ["NAME", "--yes"], {}, 125, "--token"],
    ["an option of the other use", ["--generate"], {}, 125, "--generate"],
  ])("with %s", async (_, args, env, status, words) => {
    const tokenScene = await startEscWithToken();
    const result = await tokenScene.run(args, env);
    expect(result.status).toBe(status);
    expect(result.stdout + result.stderr).toContain(words);
    if (words !== "--yes") expectTokenWording(result.stderr);
    expect(tokenScene.server.count("createToken")).toBe(0);
    expect(result.stdout + result.stderr).not.toContain(SENTINEL);
  });
});

test("rotate asks at a terminal for an environment of a found file, unless ESC_ENV is in the environment", async () => {
  const tokenScene = await startEscWithToken();
  const cwd = folder({ ".env": "ESC_ENV=acme/app/dev\n" });
  chmodSync(join(cwd, ".env"), 0o600);
  const { ESC_ENV: _chosen, ...env } = tokenScene.env;
  const refused = await sophia(["rotate", "--token", "--yes"], { cwd, env });
  expect(refused.status).toBe(125);
  expect(refused.stderr).toContain("export ESC_ENV=acme/app/dev");
  expect(tokenScene.server.count("createToken")).toBe(0);
  const question = "for acme/app/dev (by ESC_ENV in .env)? [y/N] ";
  expect(await atTerminal(["rotate", "--token"], { cwd, env }, [[question, "\n"]])).toMatchObject({ status: 1 });
  expect(tokenScene.server.count("createToken")).toBe(0);
  expect(await atTerminal(["rotate", "--token"], { cwd, env }, [[question, "y\n"]])).toMatchObject({ status: 0 });
  expect(tokenScene.server.count("createToken")).toBe(1);
});

describe("the old token works whatever interrupts rotate:", () => {
  test.each<readonly [string, (tokenScene: TokenScene) => Readonly<Record<string, string>>, string]>([
    ["making", ({ server }) => (server.failAlways("createToken", 500), {}), "console"],
    ["a lost answer", ({ server }) => (server.failAlways("createToken", "ECONNRESET"), {}), "console"],
    ["opening", ({ server }) => (server.failAlways("open", 403), {}), "deleted"],
    ["storing", () => ({ FAIL: "secret set.*actions" }), "start again"],
    ["storing the second", () => ({ FAIL: "secret set.*codespaces" }), "start again"],
    ["deleting", ({ server }) => (server.failAlways("deleteToken", 403), {}), "still works"],
  ])("%s fails", async (_, fail, words) => {
    const tokenScene = await startEscWithToken();
    const env = fail(tokenScene);
    const result = await tokenScene.run(["--yes"], env);
    expect(result.status).toBe(125);
    expect(unwrapLines(result.stderr)).toContain(words);
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(true);
    expectNoToken(tokenScene, result);
    tokenScene.server.heal();
    // Again: another new token, and the output names a token that is left of the first.
    const again = await tokenScene.run();
    expect(again).toMatchObject({ status: 0 });
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(false);
    const isLeft = words === "start again" || words === "still works";
    expect(/\? sophia-run-\S+: /.test(again.stdout)).toBe(isLeft);
  });

  test("the reader of the output leaves, and rotate deletes the new token again", async () => {
    const tokenScene = await startEscWithToken();
    const creation = tokenScene.server.hold("createToken");
    const [command, ...args] = [...sophiaRun, "rotate", "--token", "--yes"];
    const child = spawn(command, args, { cwd: folder(), env: tokenScene.env, stdio: ["ignore", "pipe", "ignore"] });
    const result = once(child, "exit");
    await tokenScene.server.waitFor("createToken");
    await once(child.stdout.destroy(), "close");
    creation.release();
    expect(await result).toEqual([128 + constants.signals.SIGPIPE, null]);
    expect(tokenScene.server.calls.map(({ operation }) => operation).slice(-2)).toEqual(["createToken", "deleteToken"]);
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(true);
  });

  test.each<readonly [NodeJS.Signals, string]>([
    ["SIGKILL", "secret set.*actions"],
    ["SIGKILL", "secret set.*codespaces"],
    ["SIGINT", "secret set.*codespaces"],
  ])("%s arrives during %s", async (signal, step) => {
    const tokenScene = await startEscWithToken();
    const fifo = join(tokenScene.stub, "hanging");
    execFileSync("mkfifo", [fifo]);
    const env = { ...tokenScene.env, HANG: step };
    const started = startProcess([...sophiaRun, "rotate", "--token", "--yes"], { cwd: folder(), env });
    expect(await readFile(fifo, "utf8")).toBe("here\n");
    process.kill(started.pid, signal);
    // gh holds the standard streams: its end is not waited for.
    await expect.poll(() => isAlive(started.pid)).toBe(false);
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(true);
    expect(await tokenScene.run()).toMatchObject({ status: 0 });
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(false);
  });

  test.each<readonly [NodeJS.Signals, Parameters<EscServer["failNext"]>[0]]>([
    ["SIGKILL", "createToken"],
    ["SIGKILL", "open"],
    ["SIGINT", "open"],
    ["SIGKILL", "deleteToken"],
    ["SIGINT", "deleteToken"],
  ])("%s arrives while rotate awaits the answer to %s", async (signal, operation) => {
    const tokenScene = await startEscWithToken();
    const isDeletion = operation === "deleteToken";
    tokenScene.server.failNext(operation, { kind: "hang", at: isDeletion ? "start" : "body" });
    const { pid } = startProcess([...sophiaRun, "rotate", "--token", "--yes"], { cwd: folder(), env: tokenScene.env });
    await tokenScene.server.waitFor(operation);
    process.kill(pid, signal);
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(true);
    const first = tokenScene.stored("actions");
    if (isDeletion) expect(await tokenScene.isAlive(first ?? "")).toBe(true);
    const again = await tokenScene.run();
    expect(again).toMatchObject({ status: 0 });
    expect(again.stdout).toMatch(/\? sophia-run-\S+: /);
    expect(await tokenScene.isAlive(tokenScene.old.value)).toBe(false);
    expect(await tokenScene.isAlive(tokenScene.stored("actions") ?? "")).toBe(true);
    expectNoToken(tokenScene, again);
  });
});

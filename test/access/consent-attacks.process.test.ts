/**
 * A clone could hide from git that git tracks its files; these tests try the ways. They also check that the remedy of a
 * refusal works if the start names a project or a contract elsewhere.
 */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { folder, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";

const NAME = "acme/app/dev";
const FILE = "sophia.contract.json";
const VARIABLES = { KEY: { required: true } };
const PRINT = ["--", "sh", "-c", "echo got $KEY"];

async function createClone(files: Readonly<Record<string, string>>) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values: { KEY: secret("sentinel-of-dev") } });
  const cwd = realpathSync(folder(files));
  const env = { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token };
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}, at = cwd) =>
    sophia(args, { cwd: at, env: { HOME: cwd, ...env, ...more } });
  return { server, cwd, env, run };
}

const runGit = (cwd: string, ...args: readonly string[]): void => void execFileSync("git", args, { cwd });
const CONTRACT = JSON.stringify({ variables: VARIABLES });
const NAMING = JSON.stringify({ environment: NAME, variables: VARIABLES });

describe("a tracked .env that git might not list", () => {
  test("needs consent in a folder that looks like a repository of its own", async () => {
    const { server, cwd, run } = await createClone({
      [`app/${FILE}`]: CONTRACT,
      "app/.env": `ESC_ENV=${NAME}\n`,
      "app/HEAD": "ref: refs/heads/main\n",
      "app/config": "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n",
      "app/objects/pack/README": "",
      "app/refs/heads/README": "",
    });
    runGit(cwd, "init", "-q");
    runGit(cwd, "add", "-f", ".");
    const ended = await run(PRINT, {}, join(cwd, "app"));
    expect(server.count("any")).toBe(0);
    expect(ended.status).toBe(78);
  });

  test("needs consent if the caller's variables name another repository", async () => {
    const { server, cwd, run } = await createClone({ [FILE]: CONTRACT, ".env": `ESC_ENV=${NAME}\n` });
    runGit(cwd, "init", "-q");
    runGit(cwd, "add", ".");
    const other = folder();
    runGit(other, "init", "-q");
    for (const more of [
      { GIT_DIR: join(other, ".git") },
      { GIT_DIR: join(other, ".git"), GIT_WORK_TREE: cwd },
      { GIT_INDEX_FILE: join(other, ".git/index") },
      { GIT_CEILING_DIRECTORIES: cwd },
    ]) {
      const ended = await run(PRINT, more);
      expect.soft(server.count("any")).toBe(0);
      expect.soft(ended.status).toBe(78);
    }
  });

  test("needs consent if the user reaches its folder, or the file, by a link", async () => {
    const { server, cwd, run } = await createClone({ [`app/${FILE}`]: CONTRACT, "app/.env": `ESC_ENV=${NAME}\n` });
    runGit(join(cwd, "app"), "init", "-q");
    runGit(join(cwd, "app"), "add", ".");
    symlinkSync("app", join(cwd, "link"));
    expect.soft((await run(["--project", "link", ...PRINT])).status).toBe(78);
    mkdirSync(join(cwd, "app/other"));
    symlinkSync("../.env", join(cwd, "app/other/.env"));
    writeFileSync(join(cwd, "app/other", FILE), CONTRACT);
    expect.soft((await run(PRINT, {}, join(cwd, "app/other"))).status).toBe(78);
    expect.soft(server.count("any")).toBe(0);
  });

  test("needs consent if its name in the repository is spelled in capitals", async () => {
    const { server, cwd, run } = await createClone({ [FILE]: CONTRACT, ".ENV": `ESC_ENV=${NAME}\n` });
    runGit(cwd, "init", "-q");
    runGit(cwd, "add", ".");
    // The second name makes one file have both spellings, as on a file system that ignores the case of names.
    linkSync(join(cwd, ".ENV"), join(cwd, ".env"));
    const ended = await run(PRINT);
    expect(ended.status).toBe(78);
    expect(server.count("any")).toBe(0);
  });

  test("chooses no organization for a sophia-run inside a sophia-run", async () => {
    const { server, cwd, run } = await createClone({
      [FILE]: JSON.stringify({ variables: {} }),
      ".env": "PULUMI_DEFAULT_ORGANIZATION=acme\n",
    });
    runGit(cwd, "init", "-q");
    runGit(cwd, "add", ".");
    const nested = ["--keep-esc", "--", ...sophiaRun, ...PRINT];
    const ended = await run(nested, { ESC_ENV: "app/dev" });
    expect(ended.stdout).toBe("got\n");
    expect(unwrapLines(ended.stderr)).toContain("a file that an outer sophia-run read names acme/app/dev");
    expect(server.count("any")).toBe(0);
    expect(unwrapLines(ended.stderr)).toContain("no consent can be remembered for the file of an outer sophia-run");
    const allowed = { ESC_ENV: "app/dev", SOPHIA_ALLOW_ENVIRONMENT: `${NAME},app/default/dev` };
    expect((await run(nested, allowed)).stdout).toBe("got sentinel-of-dev\n");
    // `allow` in the inner sophia-run does not allow the environment for every file that the outer sophia-run may read.
    const all = ["--keep-esc", "--", ...sophiaRun, "allow"];
    expect((await run(all, { ESC_ENV: "app/dev" })).status).toBe(125);
    expect((await run(nested, { ESC_ENV: "app/dev" })).stdout).toBe("got\n");
  });

  test("gives no token of the repository if it is a link to one of the user's files", async () => {
    const { server, cwd, env } = await createClone({ [`app/${FILE}`]: NAMING });
    const own = `ESC_TOKEN=${env.ESC_TOKEN}\nPULUMI_BACKEND_URL=${env.PULUMI_BACKEND_URL}\n`;
    for (const place of [cwd, join(cwd, "app")]) writeFileSync(join(place, "own.env"), own, { mode: 0o600 });
    symlinkSync("own.env", join(cwd, "app/.env"));
    runGit(join(cwd, "app"), "init", "-q");
    runGit(join(cwd, "app"), "add", FILE, ".env");
    expect((await sophia(PRINT, { cwd: join(cwd, "app") })).status).toBe(78);
    rmSync(join(cwd, "app/.env"));
    symlinkSync("../own.env", join(cwd, "app/.env"));
    const outside = await sophia(PRINT, { cwd: join(cwd, "app") });
    expect(outside.status).toBe(125);
    expect(unwrapLines(outside.stderr)).toContain(`.env is a link to ${join(cwd, "own.env")}, outside its repository`);
    expect(server.count("any")).toBe(0);
  });

  test.each([".hg", ".jj", ".sl", ".svn"])(
    "needs consent, which allow remembers, in a repository of another version control system, with %s",
    async (marker) => {
      const { server, cwd, run } = await createClone({
        [`app/${FILE}`]: CONTRACT,
        "app/.env": `ESC_ENV=${NAME}\n`,
        [`${marker}/kept`]: "",
      });
      const app = join(cwd, "app");
      expect((await run(PRINT, {}, app)).status).toBe(78);
      // A clone of Mercurial's may contain a repository of git that tracks nothing.
      runGit(app, "init", "-q");
      expect((await run(PRINT, {}, app)).status).toBe(78);
      expect(server.count("any")).toBe(0);
      expect((await run(["allow"], {}, app)).stdout).toContain(join(app, ".env"));
      expect((await run(PRINT, {}, app)).stdout).toBe("got sentinel-of-dev\n");
    },
  );

  test("needs no consent if git and Jujutsu share the folder and git does not track it", async () => {
    const { cwd, run } = await createClone({ [FILE]: CONTRACT, ".env": `ESC_ENV=${NAME}\n`, ".jj/kept": "" });
    runGit(cwd, "init", "-q");
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-dev\n");
    runGit(cwd, "add", ".env");
    expect((await run(PRINT)).status).toBe(78);
  });
});

describe("a revision that a file names", () => {
  test.each([
    [NAME, false],
    ["acme/*/*", false],
    ["*/*/*", false],
    [`${NAME}@2`, false],
    [`${NAME}@latest`, false],
    [`${NAME}@1`, true],
    ["*/*/dev@1", true],
    [`${NAME}@*`, true],
  ])(
    "is allowed only by a pattern that names a revision: SOPHIA_ALLOW_ENVIRONMENT=%s allows it: %s",
    async (pattern, isAllowed) => {
      const { server, run } = await createClone({ [FILE]: NAMING.replace(NAME, `${NAME}@1`) });
      const ended = await run(PRINT, { SOPHIA_ALLOW_ENVIRONMENT: pattern });
      expect(ended.status).toBe(isAllowed ? 0 : 78);
      expect(server.count("any") > 0).toBe(isAllowed);
    },
  );

  test("allows neither another revision nor the newest one, if SOPHIA_ALLOW_ENVIRONMENT allows only revisions", async () => {
    const { run } = await createClone({ [FILE]: NAMING });
    expect((await run(PRINT, { SOPHIA_ALLOW_ENVIRONMENT: `${NAME}@1,${NAME}@*` })).status).toBe(78);
  });

  test("needs a separate consent, which allow remembers", async () => {
    const { server, cwd, run } = await createClone({ [FILE]: NAMING });
    expect((await run(["allow"])).status).toBe(0);
    writeFileSync(join(cwd, FILE), NAMING.replace(NAME, `${NAME}@1`));
    const refused = await run(PRINT);
    expect(refused.status).toBe(78);
    expect(unwrapLines(refused.stderr)).toContain(`names ${NAME}@1, which`);
    expect(server.count("any")).toBe(0);
    expect((await run(["allow"])).stdout).toContain(`${NAME}@1`);
    expect((await run(PRINT)).stdout).toBe("got sentinel-of-dev\n");
    writeFileSync(join(cwd, FILE), NAMING.replace(NAME, `${NAME}@2`));
    expect((await run(PRINT)).status).toBe(78);
  });
});

describe("the remedy", () => {
  test("names the project that the start has named", async () => {
    const { cwd, run } = await createClone({ [`app/${FILE}`]: NAMING });
    const refused = await run(["--project", "app", ...PRINT]);
    expect(unwrapLines(refused.stderr)).toContain(`run sophia-run --project ${join(cwd, "app")} allow, or`);
    expect((await run(["--project", join(cwd, "app"), "allow"])).status).toBe(0);
    expect((await run(["--project", "app", ...PRINT])).status).toBe(0);
  });
  test("names the contract that the start has named if that contract extends a file from elsewhere", async () => {
    const { cwd, run } = await createClone({
      "app/own.json": JSON.stringify({ extends: "../base.json" }),
      "base.json": NAMING,
    });
    const start = ["--contract", "app/own.json", ...PRINT];
    const refused = await run(start);
    const remedy = ["allow", "--contract", join(cwd, "app/own.json")];
    expect(unwrapLines(refused.stderr)).toContain(`run sophia-run ${remedy.join(" ")}, or`);
    expect((await run(remedy)).status).toBe(0);
    expect((await run(start)).stdout).toBe("got sentinel-of-dev\n");
  });
});

test("sophia-run does not show a token that was put into SOPHIA_ALLOW_ENVIRONMENT", async () => {
  const { run, env } = await createClone({ [FILE]: NAMING });
  const ended = await run(PRINT, { SOPHIA_ALLOW_ENVIRONMENT: env.ESC_TOKEN });
  expect(ended.stderr).not.toContain(env.ESC_TOKEN);
});

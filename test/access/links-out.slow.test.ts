/**
 * A clone may contain links. A link that leads out of the clone's repository could give the clone the consent that the
 * user gave another project, or the token of another project. Therefore no file that sophia-run finds by itself is read
 * through such a link.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { secret, startEscServer } from "../esc-server/index.ts";
import { folder, sophia, unwrapLines } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

const NAME = "acme/app/dev";
const FILE = "sophia.contract.json";
const NAMING = JSON.stringify({ environment: NAME, variables: { KEY: { required: true } } });
const CONTRACT = JSON.stringify({ variables: { KEY: {} } });
const PRINT = ["--", "sh", "-c", "echo got $KEY"];

/**
 * Creates repositories side by side: `app` is the user's, `clone` is another author's. The folder above them is the
 * home.
 *
 * @param links their targets, by path
 */
async function createRepositories(
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
) {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment(NAME, { values: { KEY: secret("sentinel-of-dev") } });
  const home = realpathSync(folder(files));
  for (const [path, target] of Object.entries(links)) createLink(target, join(home, path));
  const env = { HOME: home, PULUMI_BACKEND_URL: server.url };
  const token = { ESC_TOKEN: server.token };
  const run = (args: readonly string[], at: string, more: Readonly<Record<string, string>> = token) =>
    sophia(args, { cwd: join(home, at), env: { ...env, ...more } });
  return { server, home, run, token };
}

function createLink(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** Makes each folder a repository that tracks all its files. Inner repositories must be named first. */
function trackAllFiles(...folders: readonly string[]): void {
  for (const cwd of folders) {
    const git = (...args: readonly string[]): void =>
      void execFileSync("git", [...SETTINGS, ...args], { cwd, stdio: "pipe" });
    git("init", "-q");
    git("add", "-f", ".");
    git("commit", "-q", "-m", "all");
  }
}

const SETTINGS = ["advice.addEmbeddedRepo=false", "user.name=x", "user.email=x@example.test"].flatMap((one) => [
  "-c",
  one,
]);

describe("a link out of the repository", () => {
  test("gives the clone no consent that the user gave for another project's contract", async () => {
    const { server, home, run } = await createRepositories(
      { [`app/${FILE}`]: NAMING },
      { [`clone/${FILE}`]: `../app/${FILE}` },
    );
    trackAllFiles(join(home, "app"), join(home, "clone"));
    expect((await run(["allow"], "app")).status).toBe(0);
    const ended = await run(PRINT, "clone");
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(server.count("any")).toBe(0);
    expectWording(unwrapLines(ended.stderr).replaceAll(home, "<home>"));
    expect((await run(PRINT, "app")).stdout).toBe("got sentinel-of-dev\n");
    // If the user names the linked contract, sophia-run still asks for a consent: the other project's consent is not
    // used.
    server.reset();
    const named = await run(["--contract", FILE, ...PRINT], "clone");
    expect(named.status).toBe(78);
    expect(unwrapLines(named.stderr)).toContain(`run sophia-run allow --contract ${join(home, "clone", FILE)}`);
    expect(server.count("any")).toBe(0);
    expect((await run(["allow", "--contract", FILE], "clone")).status).toBe(0);
    expect((await run(["--contract", FILE, ...PRINT], "clone")).stdout).toBe("got sentinel-of-dev\n");
  });

  test("gives the clone no consent that the user gave for another project's .env", async () => {
    const { server, home, run } = await createRepositories(
      { [`app/${FILE}`]: CONTRACT, "app/.env": `ESC_ENV=${NAME}\n`, [`clone/${FILE}`]: CONTRACT },
      { "clone/.env": "../app/.env" },
    );
    trackAllFiles(join(home, "app"), join(home, "clone"));
    expect((await run(["allow"], "app")).status).toBe(0);
    expect((await run(PRINT, "app")).stdout).toBe("got sentinel-of-dev\n");
    server.reset();
    expect(await run(PRINT, "clone")).toMatchObject({ status: 125, stdout: "" });
    expect(server.count("any")).toBe(0);
  });

  test.each(["../private/.env", "private/.env"])(
    "gives the clone no token that another repository tracks: %s",
    async (target) => {
      const { server, home, run, token } = await createRepositories(
        { [`clone/${FILE}`]: NAMING },
        { "clone/.env": target },
      );
      const place = join(home, "clone", target);
      mkdirSync(dirname(place));
      const settings = { ...token, PULUMI_BACKEND_URL: server.url };
      const lines = Object.entries(settings).map((pair) => `${pair.join("=")}\n`);
      writeFileSync(place, lines.join(""), { mode: 0o600 });
      // A repository below the clone is one that the user has put there: a submodule that the clone names, or a clone
      // of the user's own.
      trackAllFiles(dirname(place), join(home, "clone"));
      const ended = await run(PRINT, "clone", {});
      expect(ended).toMatchObject({ status: 125, stdout: "" });
      expect(unwrapLines(ended.stderr)).toContain(`.env is a link to ${place}, `);
      expect(server.count("any")).toBe(0);
    },
  );

  test.each<[string, Readonly<Record<string, string>>]>([
    ["a relative link", { "clone/NAME": "../other/NAME" }],
    ["a link to a link", { "clone/NAME": "a", "clone/a": "b", "clone/b": "../other/NAME" }],
    ["a file in a folder that is a link", { "clone/NAME": "folder/NAME", "clone/folder": "../other" }],
    ["`..` behind a folder that is a link", { "clone/NAME": "deep/../source", "clone/deep": "../other/deep" }],
    ["a link by /proc", { "clone/NAME": "/proc/self/cwd/../other/NAME" }],
    ["a link to a repository below", { "clone/NAME": "below/NAME" }],
  ])("is an error for the contract, .env and .env.override: %s", async (_, links) => {
    for (const name of [FILE, ".env", ".env.override"]) {
      const named = (text: string): string => text.replaceAll("NAME", name);
      const text = name === FILE ? CONTRACT : "KEY=of-other\n";
      const { home, run } = await createRepositories(
        {
          ...(name === FILE ? {} : { [`clone/${FILE}`]: CONTRACT }),
          // A search that drops `deep/..` from the path finds this file.
          "clone/source": text,
          "other/source": text,
          "other/deep/kept": "",
          [`other/${name}`]: text,
          [`clone/below/${name}`]: text,
        },
        Object.fromEntries(Object.entries(links).map(([path, target]) => [named(path), named(target)])),
      );
      trackAllFiles(join(home, "other"), join(home, "clone/below"), join(home, "clone"));
      const ended = await run(PRINT, "clone", {});
      expect.soft({ name, ...ended }).toMatchObject({ status: 125, stdout: "" });
      expect.soft(unwrapLines(ended.stderr)).toContain(`${name} is a link to ${home}`);
      const way = name === FILE ? ["--contract", FILE] : name === ".env" ? ["--dotenv", ".env"] : ["--no-override"];
      expect.soft(unwrapLines(ended.stderr)).toContain(way.join(" "));
      const got = name === ".env" ? "got of-other\n" : "got\n";
      expect.soft({ name, ...(await run([...way, ...PRINT], "clone", {})) }).toMatchObject({ status: 0, stdout: got });
    }
  });

  test("is an error in a folder without a repository, and in a worktree", async () => {
    const { home, run } = await createRepositories(
      { "archive/kept": "", "main/kept": "", "main/.env": "KEY=of-main\n", [FILE]: CONTRACT },
      { "archive/.env": "../main/.env" },
    );
    const archive = await run(PRINT, "archive", {});
    expect(archive.status).toBe(125);
    expect(unwrapLines(archive.stderr)).toContain(`outside its folder ${join(home, "archive")}`);
    trackAllFiles(join(home, "main"));
    execFileSync("git", ["worktree", "add", "-q", "--no-checkout", "../worktree"], { cwd: join(home, "main") });
    symlinkSync("../main/.env", join(home, "worktree/.env"));
    expect((await run(PRINT, "worktree", {})).status).toBe(125);
    expect((await run(["--dotenv", ".env", "--no-contract", ...PRINT], "worktree", {})).stdout).toBe("got of-main\n");
  });

  test.each<[string, readonly string[]]>([
    ["check", []],
    ["explain", []],
    ["get", ["KEY"]],
    ["export", []],
    ["scan", []],
    ["mask", []],
    ["audit", []],
    ["docs", ["SECRETS.md"]],
    ["set", ["KEY", "--yes"]],
    ["import", ["values.env", "--yes"]],
    ["request", ["--reason", "a test"]],
    ["hook", ["claude-code", "--strict"]],
    ["allow", []],
    ["allow", ["--remove"]],
  ])("is an error for %s %j", async (command, args) => {
    const { server, home, run, token } = await createRepositories(
      { [`app/${FILE}`]: NAMING, "clone/values.env": "KEY=1\n" },
      { [`clone/${FILE}`]: `../app/${FILE}` },
    );
    trackAllFiles(join(home, "app"), join(home, "clone"));
    await run(["allow"], "app");
    const { cwd, env } = { cwd: join(home, "clone"), env: { HOME: home, PULUMI_BACKEND_URL: server.url, ...token } };
    const input = JSON.stringify({ hook_event_name: "PreToolUse", tool_name: "Read", tool_input: { file_path: "x" } });
    const ended = await sophia([command, ...args], { cwd, env: { ...env, ESC_ADMIN_TOKEN: server.token }, input });
    expect(ended.status).toBe(command === "hook" ? 2 : 125);
    expect(unwrapLines(ended.stderr)).toContain(`is a link to ${join(home, "app", FILE)}, outside`);
    expect(ended.stdout).toBe("");
    expect(server.count("any")).toBe(0);
  });
});

describe("a link within the repository", () => {
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ["to a folder above", "clone/app", { "clone/app/NAME": "../NAME" }],
    ["to a link", "clone/app", { "clone/app/NAME": "a", "clone/app/a": "../b", "clone/b": "NAME" }],
    ["in a folder that is a link", "clone/app", { "clone/app/NAME": "up/NAME", "clone/app/up": ".." }],
    [
      "as volumes of Kubernetes have it",
      "clone/volume",
      {
        "clone/volume/NAME": "..data/NAME",
        "clone/volume/..data": "..2025_01_01",
      },
    ],
  ])("is followed: %s", async (_, at, links) => {
    const named = (name: string, text: string): string => text.replaceAll("NAME", name);
    for (const name of [FILE, ".env", ".env.override"]) {
      const text = name === FILE ? JSON.stringify({ variables: { KEY: { default: "within" } } }) : "KEY=within\n";
      const { home, run } = await createRepositories(
        {
          ...(name === FILE ? {} : { [`${at}/${FILE}`]: CONTRACT }),
          [`clone/${name}`]: text,
          [`clone/volume/..2025_01_01/${name}`]: text,
        },
        Object.fromEntries(Object.entries(links).map(([path, target]) => [named(name, path), named(name, target)])),
      );
      execFileSync("git", ["init", "-q"], { cwd: join(home, "clone") });
      expect.soft({ name, ...(await run(PRINT, at, {})) }).toMatchObject({ status: 0, stdout: "got within\n" });
    }
  });

  test.each([".hg", ".jj", ".sl"])("is followed in a repository with %s", async (marker) => {
    const { home, run } = await createRepositories(
      { "clone/.env": "KEY=within\n", [`clone/app/${FILE}`]: CONTRACT },
      { "clone/app/.env": "../.env" },
    );
    expect((await run(PRINT, "clone/app", {})).status).toBe(125);
    mkdirSync(join(home, "clone", marker));
    expect((await run(PRINT, "clone/app", {})).stdout).toBe("got within\n");
  });

  test("needs a separate consent: those for its target, and for the file that it replaced, are not used", async () => {
    const { server, home, run } = await createRepositories(
      { [`clone/app/${FILE}`]: CONTRACT, [`clone/${FILE}`]: CONTRACT, "clone/.env": `ESC_ENV=${NAME}\n` },
      { "clone/app/.env": "../.env" },
    );
    trackAllFiles(join(home, "clone"));
    expect((await run(["allow"], "clone")).status).toBe(0);
    expect((await run(PRINT, "clone")).stdout).toBe("got sentinel-of-dev\n");
    server.reset();
    expect((await run(PRINT, "clone/app")).stdout).toBe("got\n");
    expect(server.count("any")).toBe(0);
    const { stdout } = await run(["allow"], "clone/app");
    expect(stdout).toBe(`allowed, from now on:\n  ${NAME}  ${join(home, "clone/app/.env")}\n`);
    expect((await run(PRINT, "clone/app")).stdout).toBe("got sentinel-of-dev\n");
    expect((await run(["allow", "--remove"], "clone/app")).stdout).toContain(join(home, "clone/app/.env"));
    expect((await run(["allow", "--list"], "clone")).stdout).toBe(`  ${NAME}  ${join(home, "clone/.env")}\n`);
  });

  test("is ignored as a .env if it leads nowhere, or to /dev/null", async () => {
    for (const target of ["nowhere", "../nowhere/.env", "/dev/null"]) {
      const { home, run } = await createRepositories({ [`clone/${FILE}`]: CONTRACT }, { "clone/.env": target });
      execFileSync("git", ["init", "-q"], { cwd: join(home, "clone") });
      expect(await run(PRINT, "clone", {})).toMatchObject({ status: 0, stdout: "got\n", stderr: "" });
    }
  });

  test("is not needed for a working directory that the user reaches by a link: that is the user's choice", async () => {
    const { home, run } = await createRepositories(
      { [`app/${FILE}`]: NAMING, "app/.env": "OTHER=1\n" },
      { "elsewhere/link": "../app" },
    );
    trackAllFiles(join(home, "app"));
    expect((await run(["allow"], "app")).status).toBe(0);
    expect((await run(PRINT, "elsewhere/link")).stdout).toBe("got sentinel-of-dev\n");
    expect((await run(["--project", "elsewhere/link", ...PRINT], ".")).stdout).toBe("got sentinel-of-dev\n");
  });
});

describe("a contract that extends another contract", () => {
  test("does not use a consent of another project if the user names the contract", async () => {
    const { server, home, run } = await createRepositories({
      [`app/${FILE}`]: NAMING,
      "clone/own.json": JSON.stringify({ extends: `../app/${FILE}` }),
    });
    trackAllFiles(join(home, "app"), join(home, "clone"));
    expect((await run(["allow"], "app")).status).toBe(0);
    const start = ["--contract", "own.json", ...PRINT];
    const ended = await run(start, "clone");
    expect(ended.status).toBe(78);
    expect(server.count("any")).toBe(0);
    expect((await run(["allow", "--contract", "own.json"], "clone")).status).toBe(0);
    expect((await run(start, "clone")).stdout).toBe("got sentinel-of-dev\n");
    expect((await run(["allow", "--remove"], "app")).stdout).toContain(join(home, "app", FILE));
    expect((await run(start, "clone")).stdout).toBe("got sentinel-of-dev\n");
  });

  test("does not use a consent of a repository below its own", async () => {
    const { server, home, run } = await createRepositories({
      [`clone/${FILE}`]: JSON.stringify({ extends: `private/${FILE}` }),
      [`clone/private/${FILE}`]: NAMING,
    });
    trackAllFiles(join(home, "clone/private"), join(home, "clone"));
    expect((await run(["allow"], "clone/private")).status).toBe(0);
    expect((await run(PRINT, "clone")).status).toBe(78);
    expect(server.count("any")).toBe(0);
  });

  test("shares the consent for a file of its own repository", async () => {
    const { home, run } = await createRepositories({
      [`clone/${FILE}`]: NAMING,
      [`clone/a/${FILE}`]: JSON.stringify({ extends: `../${FILE}` }),
      [`clone/b/${FILE}`]: JSON.stringify({ extends: `../${FILE}` }),
    });
    trackAllFiles(join(home, "clone"));
    expect((await run(["allow"], "clone/a")).stdout).toContain(join(home, "clone", FILE));
    expect((await run(PRINT, "clone/b")).stdout).toBe("got sentinel-of-dev\n");
  });

  test("is refused with both ends of the link if the extended file is a link out of the repository", async () => {
    const { home, run } = await createRepositories(
      { [`app/${FILE}`]: NAMING, [`clone/${FILE}`]: JSON.stringify({ extends: "base/base.json" }) },
      { "clone/base/base.json": `../../app/${FILE}` },
    );
    trackAllFiles(join(home, "app"), join(home, "clone"));
    const ended = await run(PRINT, "clone");
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(ended.stderr)).toContain(`base/base.json leads to ${join(home, "app", FILE)}, and a contract`);
    expect(unwrapLines(ended.stderr)).toContain(`--contract ${FILE} allows any file`);
    // The file that names the environment is not in the folder of the contract that the user names.
    expect((await run(["--contract", FILE, ...PRINT], "clone")).status).toBe(78);
    rmSync(join(home, "clone/base/base.json"));
    symlinkSync(`../below/${FILE}`, join(home, "clone/base/base.json"));
    mkdirSync(join(home, "clone/below"));
    writeFileSync(join(home, "clone/below", FILE), NAMING);
    expect((await run(["allow"], "clone")).status).toBe(0);
    expect((await run(PRINT, "clone")).stdout).toBe("got sentinel-of-dev\n");
  });
});

test("sophia-run ignores consents that former versions stored for the target of a link, and asks again", async () => {
  const { server, home, run } = await createRepositories({ [`app/${FILE}`]: NAMING });
  const path = join(home, ".config/sophia-run/allowed.json");
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const allowed = [{ file: join(home, "app", FILE), environment: NAME }];
  writeFileSync(path, JSON.stringify({ version: 1, allowed }), { mode: 0o600 });
  const ended = await run(PRINT, "app");
  expect(ended.status).toBe(78);
  expect(ended.stderr).not.toContain("allowed.json");
  expect(server.count("any")).toBe(0);
  expect((await run(["allow", "--list"], "app")).stdout).toBe("nothing is allowed\n");
  expect((await run(["allow"], "app")).status).toBe(0);
  expect((await run(PRINT, "app")).stdout).toBe("got sentinel-of-dev\n");
  expect(JSON.parse(readFileSync(path, "utf8"))).toStrictEqual({ version: 2, allowed });
  expect(existsSync(`${path}.lock`)).toBe(false);
});

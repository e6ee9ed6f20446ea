import {
  copyFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { noNobody, sophiaAsNobody } from "../../helpers/nobody.ts";
import { parseEnvironment, folder, sophia, unwrapLines } from "../../helpers/sophia.ts";

const CONTRACT = JSON.stringify({ name: "Server", variables: { SERVER_KEY: { required: true } } });
const KEY = "key-sentinel-7d1f";

/** A project, and the folder from which a client starts its server. */
function createProject(files: Readonly<Record<string, string>> = {}): { readonly dir: string; readonly cwd: string } {
  return {
    dir: realpathSync(folder({ "sophia.contract.json": CONTRACT, ".env": `SERVER_KEY=${KEY}\n`, ...files })),
    cwd: realpathSync(folder()),
  };
}

describe("--project", () => {
  test("starts the program in the working directory, with contract and .env of the project", async () => {
    const { dir, cwd } = createProject();
    const started = await sophia(["--project", dir, "--", "sh", "-c", "pwd; env"], { cwd });
    expect(started).toMatchObject({ status: 0, stderr: "" });
    expect(started.stdout.split("\n")[0]).toBe(cwd);
    expect(parseEnvironment(started.stdout)).toMatchObject({ SERVER_KEY: KEY });
    const elsewhere = await sophia(["--verbose", "--", "true"], { cwd });
    expect(elsewhere).toMatchObject({ status: 78 });
  });

  test.each<[string, (dir: string) => { args?: readonly string[]; env?: Readonly<Record<string, string>> }]>([
    ["as a variable", (dir) => ({ env: { SOPHIA_PROJECT: dir } })],
    ["from the working directory on", () => ({ args: ["--project=app"] })],
    ["over the variable", (dir) => ({ args: ["--project", dir], env: { SOPHIA_PROJECT: "/nowhere" } })],
    ["through a link", () => ({ args: ["--project", "link"] })],
  ])("is read %s", async (_, given) => {
    const { dir } = createProject();
    const cwd = folder();
    mkdirSync(join(cwd, "app"));
    for (const name of [".env", "sophia.contract.json"]) copyFileSync(join(dir, name), join(cwd, "app", name));
    symlinkSync(dir, join(cwd, "link"));
    const { args = [], env = {} } = given(dir);
    const started = await sophia([...args, "--", "env"], { cwd, env });
    expect(started).toMatchObject({ status: 0, stderr: "" });
    expect(parseEnvironment(started.stdout)["SERVER_KEY"]).toBe(KEY);
  });

  test("finds the contract of a folder above, as if started there, also behind a link", async () => {
    const { dir, cwd } = createProject();
    mkdirSync(join(dir, "packages", "api"), { recursive: true });
    writeFileSync(join(dir, "packages", "api", ".env"), "SERVER_PORT=1\n", { mode: 0o600 });
    symlinkSync(join(dir, "packages", "api"), join(cwd, "api"));
    const started = await sophia(["--project", "api", "--", "env"], { cwd });
    expect(parseEnvironment(started.stdout)).toMatchObject({ SERVER_KEY: KEY, SERVER_PORT: "1" });
  });

  test("is not set by a .env file, and an empty variable is unset", async () => {
    const { dir } = createProject();
    const cwd = folder({ ".env": `SOPHIA_PROJECT=${dir}\n` });
    expect((await sophia(["--", "true"], { cwd })).status).toBe(78);
    const started = await sophia(["--", "env"], { cwd: dir, env: { SOPHIA_PROJECT: "" } });
    expect(parseEnvironment(started.stdout)["SERVER_KEY"]).toBe(KEY);
  });

  test("does not change the base of paths in other options", async () => {
    const { dir } = createProject();
    const cwd = folder({ "own.env": "OWN=1\n", "own.json": '{"variables":{"OWN":{"required":true}}}' });
    const options = ["--project", dir, "--dotenv", "own.env", "--contract", "own.json", "--audit-log", "log"];
    const started = await sophia([...options, "--", "env"], { cwd });
    expect(started).toMatchObject({ status: 0, stderr: "" });
    expect(parseEnvironment(started.stdout)).toMatchObject({ OWN: "1" });
    expect(started.stdout).not.toContain(KEY);
    expect(existsSync(join(cwd, "log"))).toBe(true);
  });

  test.each<[string, string, string]>([
    ["does not exist", "absent", "--project names no folder: absent does not exist"],
    ["is a file", "file", "--project names no folder: file is a file"],
    ["is below a file", "file/x", "--project names no folder: file/x does not exist"],
    ["is empty", "", "--project names no folder: it is empty"],
  ])("is an error if the folder %s", async (_, path, message) => {
    const cwd = folder({ file: "" });
    for (const command of [["--", "true"], ["check"], ["scan"], ["init"]]) {
      const { status, stdout, stderr } = await sophia([`--project=${path}`, ...command], { cwd });
      expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
      expect(stderr.split("\n")[0]).toBe(`sophia-run: ${message}`);
    }
  });

  test.skipIf(noNobody !== undefined)("is an error if the user may not search the folder", () => {
    const { dir } = createProject();
    chmodSync(dir, 0o600);
    const { status, stderr } = sophiaAsNobody(["--project", dir, "--no-contract", "--", "true"], { cwd: "/" });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(`--project names no folder: ${dir} cannot be read (EACCES)`);
  });

  test("names the variable in the error", async () => {
    const { status, stderr } = await sophia(["--", "true"], { env: { SOPHIA_PROJECT: "/absent" } });
    expect(status).toBe(125);
    expect(stderr).toMatch(/^sophia-run: SOPHIA_PROJECT names no folder: \/absent does not exist\n/);
  });
});

describe("a contract in a project's folder", () => {
  const OTHER = 54_321;

  test.skipIf(process.geteuid?.() !== 0).each<[string, "dir" | "cwd", number]>([
    ["of the project", "dir", 0],
    ["of the working directory", "cwd", 125],
  ])(
    "that belongs to the folder's owner, not to the owner of the working directory, %s",
    async (_, owned, expected) => {
      const places = createProject();
      chownSync(places[owned], OTHER, OTHER);
      for (const name of [".env", "sophia.contract.json"]) chownSync(join(places.dir, name), OTHER, OTHER);
      const { status, stderr } = await sophia(["--project", places.dir, "--", "true"], { cwd: places.cwd });
      expect(status).toBe(expected);
      expect(unwrapLines(stderr)).toMatch(expected === 0 ? /^$/ : /is not trusted: it belongs to another user/);
    },
  );

  test("that is world-writable is refused with the message about a world-writable folder", async () => {
    const { dir, cwd } = createProject();
    chmodSync(join(dir, "sophia.contract.json"), 0o666);
    const { status, stderr } = await sophia(["--project", dir, "--", "true"], { cwd });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(`chmod o-w ${dir}/sophia.contract.json`);
  });
});

describe("with --project", () => {
  test("check and explain read the project", async () => {
    const { dir, cwd } = createProject();
    expect(await sophia(["check", "--project", dir], { cwd })).toMatchObject({ status: 0, stderr: "" });
    const { stdout } = await sophia(["explain", "SERVER_KEY", "--project", dir], { cwd });
    expect(stdout).toContain(join(dir, ".env"));
  });

  test("scan searches the project, and a PATH from the working directory", async () => {
    const { dir, cwd } = createProject({ "leak.txt": KEY });
    writeFileSync(join(cwd, "own.txt"), KEY);
    const all = await sophia(["scan", "--project", dir, "--json"], { cwd });
    expect(all.status).toBe(1);
    expect(JSON.parse(all.stdout)).toMatchObject({
      findings: expect.arrayContaining([{ file: "leak.txt" }].map((one) => expect.objectContaining(one))),
    });
    expect(all.stdout).not.toContain("own.txt");
    const named = await sophia(["scan", "--project", dir, "own.txt"], { cwd });
    expect(named).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(`${join(cwd, "own.txt")}:1: SERVER_KEY`),
    });
  });

  test("docs and init write into the project", async () => {
    const { dir, cwd } = createProject();
    expect((await sophia(["docs", "--project", dir], { cwd })).status).toBe(0);
    expect(readFileSync(join(dir, "SECRETS.md"), "utf8")).toContain("SERVER_KEY");
    const fresh = realpathSync(folder({ ".env.example": "NEW_KEY=\n" }));
    expect((await sophia(["init", "--project", fresh], { cwd })).status).toBe(0);
    expect(readFileSync(join(fresh, "sophia.contract.json"), "utf8")).toContain("NEW_KEY");
    expect([existsSync(join(cwd, "SECRETS.md")), existsSync(join(cwd, "sophia.contract.json"))]).toEqual([
      false,
      false,
    ]);
  });

  test("remedies name the project, in a form to paste", async () => {
    const cwd = folder();
    const dir = join(cwd, "it's here");
    mkdirSync(dir);
    writeFileSync(join(dir, "sophia.contract.json"), CONTRACT);
    const refused = await sophia(["--project", dir, "--", "true"], { cwd });
    expect(refused.status).toBe(78);
    const quoted = `'${realpathSync(dir).replaceAll("'", String.raw`'\''`)}'`;
    const stale = await sophia(["docs", "--check", "--project", dir], { cwd });
    expect(stale.stderr).toMatch(/update:\s/);
    expect(stale.stderr).toContain(`sophia-run --project ${quoted} docs\n`);
    const elsewhere = { cwd: folder() };
    expect((await sophia(["--project", realpathSync(dir), "docs"], elsewhere)).status).toBe(0);
    expect(await sophia(["docs", "--check", "--project", dir], { cwd })).toMatchObject({ status: 0, stderr: "" });
  });
});

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, sophia, sophiaRun, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL } from "../sophia-environment.ts";

const contract = (more: object = {}): string =>
  JSON.stringify({ variables: { API_URL: { required: true, format: "url" }, LEVEL: { default: "info" }, ...more } });

const read = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");

test("docs writes all files, and --check names those that are out of date", async () => {
  const cwd = folder({
    "sophia.contract.json": contract(),
    "SECRETS.md": "# Ours\n\nBy hand.\n",
    "tsconfig.json": "{}",
  });
  const env = { API_URL: SENTINEL, LEVEL: SENTINEL };
  const missing = await sophia(["docs", "--check"], { cwd, env });
  expect(missing).toMatchObject({ status: 1, stdout: "" });
  expect(unwrapLines(missing.stderr)).toContain(".env.example (missing)");
  expectWording(missing.stderr);
  expect(readdirSync(cwd).toSorted()).toEqual(["SECRETS.md", "sophia.contract.json", "tsconfig.json"]);

  const written = await sophia(["docs"], { cwd, env });
  expect(written).toMatchObject({ status: 0, stdout: "wrote SECRETS.md\nwrote .env.example\nwrote env.d.ts\n" });
  expect(read(cwd, "SECRETS.md")).toMatch(
    /^# Ours\n\nBy hand\.\n\n<!-- contract: begin[^]*`API_URL`[^]*<!-- contract: end -->\n$/,
  );
  expect(read(cwd, ".env.example")).toMatch(/^API_URL=$/m);
  expect(read(cwd, "env.d.ts")).toContain("API_URL: string;");
  for (const name of readdirSync(cwd)) expect(read(cwd, name)).not.toContain(SENTINEL);
  expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
  expect((await sophia(["docs"], { cwd })).stdout).toContain("up to date");

  writeFileSync(join(cwd, "sophia.contract.json"), contract({ NEW: {} }));
  expectWording((await sophia(["docs", "--check"], { cwd })).stderr);
  await sophia(["docs"], { cwd });
  writeFileSync(join(cwd, "env.d.ts"), `${read(cwd, "env.d.ts")}// changed\n`);
  const drift = await sophia(["docs", "--check"], { cwd });
  expect(drift.status).toBe(1);
  expect(drift.stderr).toContain("date: env.d.ts\n");
});

test("docs writes to the folder of the contract, or to the named files", async () => {
  const manifest = JSON.stringify({ devDependencies: { typescript: "^5.9.0" } });
  const cwd = folder({ "sophia.contract.json": contract(), "package.json": manifest });
  const named = await sophia(["docs", "docs/KEYS.md", "src/process-env.d.ts", "example.env"], { cwd });
  expect(named.status).toBe(0);
  expect(read(cwd, "docs/KEYS.md")).toContain("file from ../sophia");
  expect(read(cwd, "src/process-env.d.ts")).toContain("ProcessEnv");
  expect(read(cwd, "example.env")).toContain("API_URL=");
  await sophia(["docs"], { cwd: join(cwd, "src") });
  expect(readdirSync(cwd)).toEqual(expect.arrayContaining(["SECRETS.md", ".env.example", "env.d.ts"]));
});

test.each<[what: string, files: Record<string, string>, isWritten: boolean, options?: readonly string[]]>([
  ["a project of JavaScript", { "package.json": '{"keywords":["typescript"]}' }, false],
  ["a tsconfig.json", { "tsconfig.json": "{}" }, true],
  ["typescript among the dependencies", { "package.json": '{"devDependencies":{"typescript":"^5.9.0"}}' }, true],
  ["--types typescript", { "package.json": "{}" }, true, ["--types", "typescript"]],
])("docs writes env.d.ts for projects with TypeScript: %s", async (_, files, isWritten, options = []) => {
  const cwd = folder({ "sophia.contract.json": contract(), ...files });
  expect((await sophia(["docs", ...options], { cwd })).status).toBe(0);
  expect(existsSync(join(cwd, "env.d.ts"))).toBe(isWritten);
});

test("docs adds missing variables to a .env.example of the user, and changes nothing else in it", async () => {
  const userLines = "# Mine.\nMINE=1\n# API_URL=https://x\n";
  const cwd = folder({
    "sophia.contract.json": '{"variables":{"API_URL":{},"MINE":{}}}',
    ".env.example": userLines,
  });
  const docs = (...options: readonly string[]) => sophia(["docs", ...options], { cwd });
  expect((await docs()).stdout).toBe("wrote SECRETS.md\n");
  expect(await docs("--check")).toMatchObject({ status: 0 });
  writeFileSync(
    join(cwd, "sophia.contract.json"),
    '{"variables":{"API_URL":{},"NEW":{"description":"What is new."},"MINE":{}}}',
  );
  expect((await docs("--check")).status).toBe(1);
  await docs();
  const merged = read(cwd, ".env.example");
  expect(merged.startsWith(userLines)).toBe(true);
  expect(merged.slice(userLines.length)).toMatch(/\n# What is new\.\nNEW=\n/);
  expect(merged.match(/^.*API_URL=/gm)).toHaveLength(1);
  expect((await docs("--check")).status).toBe(0);
  writeFileSync(join(cwd, "sophia.contract.json"), '{"variables":{"API_URL":{},"MINE":{}}}');
  await docs();
  expect(read(cwd, ".env.example")).toBe(userLines);
  await docs("--force");
  expect(read(cwd, ".env.example")).not.toContain("Mine.");
});

test("docs writes the addresses of brokered keys into all documents, and --check finds them up to date", async () => {
  const cwd = folder({ "sophia.contract.json": contract({ OPENAI_API_KEY: { broker: true } }), "tsconfig.json": "{}" });
  expect((await sophia(["docs", "--types", "python"], { cwd })).status).toBe(0);
  for (const name of ["SECRETS.md", ".env.example", "env.d.ts", "settings.py"]) {
    expect(read(cwd, name)).toContain("OPENAI_BASE_URL");
    expect(read(cwd, name)).toContain("sophia-run --broker");
  }
  expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
  writeFileSync(join(cwd, "sophia.contract.json"), contract({ OPENAI_API_KEY: {} }));
  await sophia(["docs"], { cwd });
  for (const name of ["SECRETS.md", ".env.example", "env.d.ts", "settings.py"]) {
    expect(read(cwd, name)).not.toContain("OPENAI_BASE_URL");
  }
});

test("docs keeps any other file of the user without --force, and fails only if the file is named", async () => {
  const cwd = folder({ "sophia.contract.json": contract(), "env.d.ts": "mine\n" });
  const plain = await sophia(["docs"], { cwd });
  expect(plain.status).toBe(0);
  expectWording(plain.stdout);
  const named = await sophia(["docs", "env.d.ts"], { cwd });
  expect(named.status).toBe(125);
  expectWording(named.stderr);
  expect(read(cwd, "env.d.ts")).toBe("mine\n");
  expect((await sophia(["docs", "--force"], { cwd })).status).toBe(0);
  expect(read(cwd, "env.d.ts")).toContain("API_URL");
});

test("docs writes nothing through linked folders outside the project", async () => {
  const outside = folder();
  const cwd = folder({ "sophia.contract.json": contract() });
  mkdirSync(join(cwd, "real"));
  symlinkSync(outside, join(cwd, "out"));
  symlinkSync(join(outside, "nowhere"), join(cwd, "dangling"));
  symlinkSync("real", join(cwd, "inside"));
  for (const name of ["out", "dangling"]) {
    const refused = await sophia(["docs", `${name}/SECRETS.md`], { cwd });
    expect(refused.status).toBe(125);
    expect(unwrapLines(refused.stderr)).toContain(`${name} is a symbolic link`);
  }
  const env = { API_URL: "https://x" };
  const exported = await sophia(["export", "--no-contract", "--output", "out/values.env"], { cwd, env });
  expect(exported.status).toBe(125);
  expect(unwrapLines(exported.stderr)).toContain("out is a symbolic link");
  expect(readdirSync(outside)).toEqual([]);
  expect((await sophia(["docs", "inside/SECRETS.md"], { cwd })).status).toBe(0);
  expect(readdirSync(join(cwd, "real"))).toEqual(["SECRETS.md"]);
  // The user named it, with its links.
  expect((await sophia(["docs", join(outside, "SECRETS.md")], { cwd })).status).toBe(0);
});

test("docs fails for an invalid contract and for a file that cannot be written", async () => {
  const cwd = folder({ "sophia.contract.json": "{", blocker: "" });
  expect((await sophia(["docs"], { cwd })).status).toBe(125);
  writeFileSync(join(cwd, "sophia.contract.json"), contract());
  const blocked = await sophia(["docs", "blocker/env.d.ts"], { cwd });
  expect(blocked.status).toBe(125);
  expect(blocked.stderr).toContain("blocker/env.d.ts cannot be");
  mkdirSync(join(cwd, "SECRETS.md"));
  const inPlace = await sophia(["docs", "SECRETS.md"], { cwd });
  expect(inPlace.stderr).toContain("SECRETS.md cannot be read (it is a folder)");
  mkdirSync(join(cwd, "handbook/SECRETS.md"), { recursive: true });
  const below = await sophia(["docs", "handbook/SECRETS.md"], { cwd });
  expect(below.stderr).toContain("handbook/SECRETS.md cannot be read (it is a folder)");
});

// A limit on the size of files stands for a full disk.
test("docs leaves files as they were, and no new ones, if the disk is full", () => {
  const rows = "x".repeat(8192);
  const cwd = folder({
    "sophia.contract.json": contract({ NEW: { description: rows } }),
    "SECRETS.md": "# Ours\n\nBy hand.\n",
  });
  const limited = (args: readonly string[], at: string) =>
    spawnSync("sh", ["-c", 'ulimit -f 1; exec "$@"', "sh", ...sophiaRun, ...args], {
      cwd: at,
      env: { PATH: process.env["PATH"] },
      encoding: "utf8",
    });
  for (const name of ["SECRETS.md", ".env.example"]) {
    expect(limited(["docs", name], cwd)).toMatchObject({
      status: 125,
      stderr: expect.stringContaining(`${name} cannot be written (EFBIG)`),
    });
  }
  expect(readdirSync(cwd).toSorted()).toEqual(["SECRETS.md", "sophia.contract.json"]);
  expect(read(cwd, "SECRETS.md")).toBe("# Ours\n\nBy hand.\n");

  const project = folder({ ".env.example": Array.from({ length: 100 }, (_, index) => `NAME_${index}=\n`).join("") });
  expect(limited(["init"], project).stderr).toContain("sophia.contract.json cannot be written (EFBIG)");
  expect(readdirSync(project).toSorted()).toEqual([".env.example"]);
});

test("docs writes no file if one of them is a symbolic link", async () => {
  const cwd = folder({ "sophia.contract.json": contract(), precious: "mine\n", "tsconfig.json": "{}" });
  symlinkSync("precious", join(cwd, "SECRETS.md"));
  symlinkSync("nowhere", join(cwd, ".env.example"));
  symlinkSync("nowhere", join(cwd, "env.d.ts"));
  for (const options of [[], ["--force"]]) {
    const refused = await sophia(["docs", ...options], { cwd });
    expect(refused.status).toBe(125);
    expect(unwrapLines(refused.stderr)).toContain(".env.example and env.d.ts are");
  }
  expect((await sophia(["docs", "new.d.ts", ".env.example"], { cwd })).stderr).toContain(".env.example is a");
  expect(read(cwd, "precious")).toBe("mine\n");
  expect([existsSync(join(cwd, "nowhere")), existsSync(join(cwd, "new.d.ts"))]).toEqual([false, false]);
});

test("docs accepts a link to a file that is up to date, and fails for a link to itself", async () => {
  const cwd = folder({ "sophia.contract.json": contract() });
  expect((await sophia(["docs", "env.d.ts"], { cwd })).status).toBe(0);
  symlinkSync("env.d.ts", join(cwd, "linked.d.ts"));
  symlinkSync("self.md", join(cwd, "self.md"));
  expect(await sophia(["docs", "linked.d.ts"], { cwd })).toMatchObject({
    status: 0,
    stdout: "linked.d.ts: up to date\n",
  });
  const self = await sophia(["docs", "self.md"], { cwd });
  expect(self.status).toBe(125);
  expect(self.stderr).toContain("self.md cannot be read");
});

import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { CONTRACT_VALUES, folder, sophia, unwrapLines } from "../helpers/sophia.ts";

/** Makes a folder with files that have the given mode. */
function makeFolderWithMode(files: Readonly<Record<string, string>>, mode: number): string {
  const cwd = folder(files);
  chmodSync(cwd, 0o755);
  for (const name of Object.keys(files)) chmodSync(join(cwd, name), mode);
  return cwd;
}

describe("a .env file", () => {
  const { QDRANT_URL, ...otherValues } = CONTRACT_VALUES;
  const content = { ".env": `QDRANT_URL=${QDRANT_URL}\nOTHER=1` };

  const warning = "sophia-run: warning: .env is world-readable: chmod 600 .env\n";

  test.each([0o644, 0o604])(
    "with a secret causes one warning with the command that corrects it, if it is world-readable (%o)",
    async (mode) => {
      const cwd = makeFolderWithMode(content, mode);
      const { status, stderr } = await sophia(["--", "true"], { cwd, env: otherValues });
      expect([status, stderr]).toEqual([0, warning]);
    },
  );

  test("that is world-readable causes one warning a day, and one at each check", async () => {
    const cwd = makeFolderWithMode(content, 0o644);
    const caches = folder();
    const env = { ...otherValues, XDG_CACHE_HOME: caches };
    const start = async (...options: readonly string[]): Promise<string> =>
      (await sophia([...options, "--", "true"], { cwd, env })).stderr;
    expect(await start("-q")).toBe("");
    expect([await start(), await start()]).toEqual([warning, ""]);
    writeFileSync(join(cwd, "other"), content[".env"], { mode: 0o644 });
    expect(await start("--dotenv", "other")).toContain("chmod 600 other");
    expect([await start("--dotenv", "other"), await start()]).toEqual(["", ""]);
    for (const time of [1, 2]) expect([time, (await sophia(["check"], { cwd, env })).stderr]).toEqual([time, warning]);
    expect((await sophia(["check", "-q"], { cwd, env })).stderr).toBe("");

    const warningsFile = join(caches, "sophia-run/told-today");
    expect(statSync(warningsFile).mode & 0o777).toBe(0o600);
    writeFileSync(warningsFile, readFileSync(warningsFile, "utf8").replace(/^\S+/, "2026-01-01"));
    expect([await start(), await start()]).toEqual([warning, ""]);
  });

  test.each<[string, (caches: string) => void]>([
    ["is not a folder", (caches) => rmSync(caches, { recursive: true })],
    ["is open to others", (caches) => mkdirSync(join(caches, "sophia-run"), { mode: 0o755 })],
    [
      "has a folder in the file's place",
      (caches) => mkdirSync(join(caches, "sophia-run/told-today"), { recursive: true, mode: 0o700 }),
    ],
  ])("that is world-readable causes a warning at each start if the cache %s", async (_, make) => {
    const cwd = makeFolderWithMode(content, 0o644);
    const caches = folder();
    make(caches);
    const env = { ...otherValues, XDG_CACHE_HOME: caches, NODE_DISABLE_COMPILE_CACHE: "1" };
    for (const time of [1, 2])
      expect([time, (await sophia(["--", "true"], { cwd, env })).stderr]).toEqual([time, warning]);
  });

  test("that is world-readable causes no warning in a private folder", async () => {
    const cwd = makeFolderWithMode(content, 0o644);
    const inner = join(cwd, "inner");
    mkdirSync(inner);
    writeFileSync(join(inner, ".env"), content[".env"], { mode: 0o644 });
    const stderr = async (): Promise<string> => (await sophia(["--", "true"], { cwd: inner, env: otherValues })).stderr;
    expect(await stderr()).toBe(warning);
    for (const mode of [0o700, 0o750, 0o754]) {
      chmodSync(cwd, mode);
      expect(await stderr()).toBe("");
    }
  });

  test.each([
    [0o600, content],
    [0o640, content],
    [0o644, { ".env": "OTHER=1\nQDRANT_URL=" }],
  ])("that is private, or has no secrets, causes no warning (%o)", async (mode, files) => {
    const { stderr } = await sophia(["--no-contract", "--", "true"], {
      cwd: makeFolderWithMode(files, mode),
      env: otherValues,
    });
    expect(stderr).toBe("");
  });

  test.each([
    [{ GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "github-hosted" }, ""],
    [{ GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "self-hosted" }, warning],
  ])(
    "that is world-readable causes a warning in GitHub Actions only on self-hosted runners: %o",
    async (runner, expected) => {
      const env = { ...otherValues, ...runner };
      const { stderr } = await sophia(["--", "true"], { cwd: makeFolderWithMode(content, 0o644), env });
      expect(stderr).toBe(expected);
    },
  );

  test("with a token causes a warning even without a contract", async () => {
    const cwd = makeFolderWithMode({ "my env": "ESC_TOKEN=pul-0123456789abcd" }, 0o644);
    const { stderr } = await sophia(["--no-contract", "--dotenv", "my env", "--", "true"], { cwd });
    expect(stderr).toContain("warning: my env is world-readable: chmod 600 'my env'\n");
  });
});

test("a world-readable token file causes one warning, with the command that corrects it", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", { values: CONTRACT_VALUES });
  const cwd = makeFolderWithMode({ token: server.token }, 0o644);
  const path = join(cwd, "token");
  const env = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN_FILE: path, PULUMI_BACKEND_URL: server.url };
  const { status, stderr } = await sophia(["--", "true"], { env });
  expect(status).toBe(0);
  expect(unwrapLines(stderr)).toMatch(/^sophia-run: warning: .*chmod 600 \S+\n$/);
  chmodSync(path, 0o600);
  expect((await sophia(["--", "true"], { env })).stderr).toBe("");
  expect(readFileSync(path, "utf8")).toBe(server.token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

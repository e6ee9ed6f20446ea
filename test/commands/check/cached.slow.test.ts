import { expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../../esc-server/index.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { addSophiaEnvironment, escVariables, SENTINEL } from "../sophia-environment.ts";

test("check, explain and --verbose name the cache, and a start warns that ESC is unavailable", async () => {
  const server = await startEscServer({ tellsRevision: true });
  onTestFinished(() => server.close());
  addSophiaEnvironment(server);
  const env = { ...escVariables(server), SOPHIA_CACHE: "1", XDG_CACHE_HOME: folder() };
  const first = await sophia(["--", "true"], { env });
  expect(first).toMatchObject({ status: 0, stderr: "" });
  await server.close();

  const age = String.raw`cached, \d+ s old`;
  const started = await sophia(["--", "true"], { env });
  expect(started.status).toBe(0);
  expect(unwrapLines(started.stderr)).toMatch(
    /^sophia-run: warning: .*ECONNREFUSED.*acme\/sophia\/dev@1 \(\d+ s old\)/,
  );
  expectWording(started.stderr.replace(/\d+ s old/, "<age>"));

  const checked = await sophia(["check"], { env });
  expect(checked).toMatchObject({ status: 0, stderr: "" });
  expect(checked.stdout).toMatch(new RegExp(`All checks passed! Configuration loaded from ESC \\(${age}\\)`));
  expect(checked.stdout).toMatch(new RegExp(`\n✅ ESC acme/sophia/dev@1 \\(${age}\\) \\(`));
  expect(checked.stdout).toContain("⚠️ ESC_TOKEN:");
  expect(checked.stdout).toContain("ECONNREFUSED");

  const report = await sophia(["check", "--json", "--offline"], { env });
  expect(JSON.parse(report.stdout)).toMatchObject({
    met: true,
    esc: { status: "read", kept: "offline", environments: [{ ageSeconds: expect.any(Number) }] },
  });

  const explained = await sophia(["explain", "QDRANT_API_KEY", "--offline"], { env });
  expect(explained.stdout).toMatch(new RegExp(`from +ESC acme/sophia/dev@1 \\(${age}\\)`));

  const verbose = await sophia(["--offline", "--verbose", "--quiet", "--", "true"], { env });
  expect(verbose.stderr).toMatch(new RegExp(`ESC acme/sophia/dev@1 \\(${age}\\): 7 variables`));

  const masked = await sophia(["--offline", "--quiet", "--redact", "--", "printenv", "QDRANT_API_KEY"], { env });
  expect(masked).toMatchObject({ status: 0, stdout: "***\n", stderr: "" });
  for (const { stdout, stderr } of [started, checked, report, explained, verbose]) {
    expect(stdout + stderr).not.toContain(SENTINEL);
  }
});

test("ESC is contacted before a start fails because the cache does not meet the contract", async () => {
  await using server = await startEscServer();
  server.environment("acme/sophia/dev", { values: {} });
  const env = { ...escVariables(server), XDG_CACHE_HOME: folder(), SOPHIA_CACHE_FRESH: "1h" };
  expect((await sophia(["--", "true"], { env })).status).toBe(78);
  addSophiaEnvironment(server);
  expect(await sophia(["--", "true"], { env })).toMatchObject({ status: 0, stderr: "" });
  const { length } = server.calls;
  expect(await sophia(["--", "true"], { env })).toMatchObject({ status: 0, stderr: "" });
  expect(server.calls).toHaveLength(length);
});

test.each([{ words: ["--no-contract", "--", "printenv", "GREETING"] }, { words: ["export", "--no-contract"] }])(
  "$words contacts no ESC while the cache is fresh, although it does not meet the contract",
  async ({ words }) => {
    await using server = await startEscServer();
    server.environment("acme/sophia/dev", { values: { GREETING: "hello" } });
    const env = { ...escVariables(server), XDG_CACHE_HOME: folder(), SOPHIA_CACHE_FRESH: "1h" };
    const first = await sophia(words, { env });
    expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining("hello") });
    const { length } = server.calls;
    expect(await sophia(words, { env })).toEqual(first);
    expect(server.calls).toHaveLength(length);
  },
);

test("check refuses to let a .env file enable the cache", async () => {
  await using server = await startEscServer();
  addSophiaEnvironment(server);
  const cwd = folder({ ".env": "SOPHIA_CACHE=1\nSOPHIA_OFFLINE=1\nSOPHIA_CACHE_FRESH=1h\n" });
  const env = { ...escVariables(server), XDG_CACHE_HOME: folder() };
  for (const amount of [2, 4]) {
    const { status } = await sophia(["--", "true"], { env, cwd });
    expect({ status, requests: server.count("any") }).toEqual({ status: 0, requests: amount });
  }
});

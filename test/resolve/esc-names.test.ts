import { expect, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { sophia } from "../helpers/sophia.ts";
import { expectWording } from "../helpers/wording.ts";

test("a start warns if a name of two parts leads to another organization's environment, and fails with --require-esc", async () => {
  await using server = await startEscServer({ user: { defaultOrg: "acme", organizations: ["acme", "sophia"] } });
  server.environment("sophia/default/dev", { values: { WHO: "sophia" } });
  const env = { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token, ESC_ENV: "sophia/dev" };
  const launch = ["--no-contract", "--quiet", "--", "printenv", "WHO"];
  const startWithWarning = await sophia(launch, { env });
  expect(startWithWarning).toMatchObject({ status: 0, stdout: "sophia\n" });
  expectWording(startWithWarning.stderr);

  server.reset();
  const refused = await sophia(["--require-esc", ...launch], { env });
  expect(refused).toMatchObject({ status: 125, stdout: "" });
  expect(refused.stderr).toContain("--require-esc");
  expectWording(refused.stderr);
  expect(server.count("open")).toBe(1);

  const exact = await sophia(["--require-esc", ...launch], { env: { ...env, ESC_ENV: "sophia/default/dev" } });
  expect(exact).toMatchObject({ status: 0, stdout: "sophia\n", stderr: "" });
});

test("a start with --require-esc fails if a name of two parts is ambiguous because there is no default organization", async () => {
  await using server = await startEscServer({
    user: { login: "x", organizations: ["sophia", "acme"], defaultOrg: null },
  });
  server.environment("sophia/default/dev", { values: { WHO: "sophia" } });
  const env = { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token, ESC_ENV: "sophia/dev" };
  const refused = await sophia(["--no-contract", "--require-esc", "--", "printenv", "WHO"], { env });
  expect(refused).toMatchObject({ status: 125, stdout: "" });
  expect(refused.stderr).toContain("ESC_ORG");
  expect(server.count("open")).toBe(0);
});

test("--session sets the lifetime of the opened environment, and an invalid lifetime opens nothing", async () => {
  await using server = await startEscServer();
  server.environment("acme/app/dev", { values: { A: "a" } });
  const env = { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token, ESC_ENV: "acme/app/dev" };
  await sophia(["--no-contract", "--session", "2h", "--", "true"], { env });
  await sophia(["--no-contract", "--", "true"], { env: { ...env, SOPHIA_SESSION: "30m" } });
  const opened = server.calls.filter(({ operation }) => operation === "open");
  expect(opened.map(({ query }) => query)).toEqual([{ duration: "2h" }, { duration: "30m" }]);
  const invalidResult = await sophia(["--no-contract", "--session", "0", "--", "true"], { env });
  expect(invalidResult.status).toBe(125);
  expect(invalidResult.stderr).toMatch(/^sophia-run: --session has an invalid value: '0'\n/);
  expect(server.count("open")).toBe(2);
});

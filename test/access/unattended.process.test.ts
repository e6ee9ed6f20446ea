import { expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { folder, sophia, unwrapLines } from "../helpers/sophia.ts";

test.each([
  ["acme/app/dev", "acme/app/dev"],
  ["acme/app/dev@1", "acme/app/dev@1"],
])(
  "in CI the refusal of a contract that names %s gives a variable that allows the environment, and setting it works",
  async (named, allowed) => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    server.environment("acme/app/dev", { values: { API_KEY: "value" } });
    const contract = JSON.stringify({ environment: named, variables: { API_KEY: { required: true } } });
    const cwd = folder({ "sophia.contract.json": contract });
    const env = { CI: "true", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
    const refused = await sophia(["--", "true"], { cwd, env });
    expect(refused.status).toBe(78);
    expect(unwrapLines(refused.stderr)).toContain(
      `to allow it, set SOPHIA_ALLOW_ENVIRONMENT=${allowed} in the environment`,
    );
    expect(refused.stderr).not.toContain("sophia-run allow");
    const started = await sophia(["--", "true"], { cwd, env: { ...env, SOPHIA_ALLOW_ENVIRONMENT: allowed } });
    expect([started.status, started.stderr]).toEqual([0, ""]);
  },
);

test("the refusal has a star for an organization that only the ESC server knows", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/app/dev", { values: { QDRANT_URL: "https://qdrant.example.com" } });
  const cwd = folder({ ".env": "ESC_ENV=app/dev\n", ".hg/x": "" });
  const env = { CI: "1", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const refused = await sophia(["check"], { cwd, env });
  const [, allowed = ""] = /SOPHIA_ALLOW_ENVIRONMENT=(\S+)/.exec(unwrapLines(refused.stdout + refused.stderr)) ?? [];
  // A name of two parts has two meanings.
  expect(allowed).toBe("*/app/dev,app/default/dev");
  const read = await sophia(["get", "QDRANT_URL"], { cwd, env: { ...env, SOPHIA_ALLOW_ENVIRONMENT: allowed } });
  expect([read.status, read.stdout]).toEqual([0, "https://qdrant.example.com"]);
});

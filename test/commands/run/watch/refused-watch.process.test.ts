import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../../../esc-server/index.ts";
import { notLinux } from "../../../helpers/skip.ts";
import { folder, sophia, unwrapLines } from "../../../helpers/sophia.ts";

test("a start that --watch refuses is not in the audit log; one that it does not refuse is", async ({ skip }) => {
  skip(notLinux !== undefined, notLinux);
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/app/dev", { values: {} });
  const cwd = folder({ "sophia.contract.json": JSON.stringify({ variables: { API_KEY: { required: true } } }) });
  execFileSync("mkfifo", [join(cwd, "pipe")]);
  const env = { ESC_ENV: "acme/app/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const refusing = sophia(["--dotenv", "pipe", "--audit-log", "log", "--watch", "--", "true"], { cwd, env });
  // It waits for the reader.
  writeFileSync(join(cwd, "pipe"), "API_KEY=value\n");
  const refused = await refusing;
  expect([refused.status, unwrapLines(refused.stderr)]).toEqual([125, expect.stringContaining("pipe is a pipe")]);
  expect(existsSync(join(cwd, "log"))).toBe(false);
  const callerEnvironment = { ...env, API_KEY: "value" };
  const started = await sophia(["--audit-log", "log", "--watch", "--", "true"], { cwd, env: callerEnvironment });
  expect([started.status, started.stderr]).toEqual([0, ""]);
  expect(JSON.parse(readFileSync(join(cwd, "log"), "utf8"))).toMatchObject({ event: "start", outcome: "allowed" });
});

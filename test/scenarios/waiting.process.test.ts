import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { runSophia } from "../esc/run-program.ts";
import { closeStrictly } from "../esc/read-esc.ts";
import { type EscServer, startEscServer } from "../esc-server/index.ts";

let server: EscServer;
const folder = mkdtempSync(join(tmpdir(), "esc-waiting-"));
beforeEach(async () => {
  server = await startEscServer();
  server.environment("demo-org/sophia/dev", { values: { A: "x" } });
});
afterEach(() => closeStrictly(server));
afterAll(() => rm(folder, { recursive: true }));

function accessVariables(): Record<string, string> {
  return { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
}

// Shorter than the usual deadline.
test("nothing keeps the process alive after the deadline of a wait", { timeout: 20_000 }, async () => {
  server.failAlways("read", "hang");
  const variables = { ...accessVariables(), PATH: process.env["PATH"] ?? "" };
  const finished = await runSophia(["--no-contract", "--timeout", "300ms", "--", "true"], variables, folder);
  expect(finished.status).toBe(0);
});

describe("a signal while sophia-run waits for ESC", () => {
  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("ends sophia-run, and no program starts: %s", async (signal) => {
    server.failAlways("open", "hang");
    const finished = await runSophia(
      ["--no-contract", "--", "echo", "started"],
      accessVariables(),
      folder,
      async (kill) => {
        await server.waitFor("open");
        kill(signal);
      },
    );
    expect(finished).toEqual({ status: null, signal, stdout: "", stderr: "" });
  });
});

describe("outside a terminal", () => {
  test("sophia-run prints a line for each retry with --verbose", async () => {
    server.failNext("open", 503);
    const finished = await runSophia(["--no-contract", "--verbose", "--", "true"], accessVariables(), folder);
    expect(finished.stderr).toMatch(/^sophia-run: .*demo-org\/sophia\/dev .*\d+ ms \(attempt 2\)/);
  });

  test("sophia-run prints nothing about retries without --verbose", async () => {
    server.failNext("open", 503);
    const finished = await runSophia(["--no-contract", "--", "true"], accessVariables(), folder);
    expect(finished.stderr).toBe("");
  });
});

import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { notInstalled } from "../helpers/skip.ts";
import { CONTRACT_VALUES, folder, sophia, sophiaRun } from "../helpers/sophia.ts";

/** Starts an ESC that does not answer the request to open an environment. */
async function startSilentEsc() {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", { values: CONTRACT_VALUES });
  server.failAlways("open", "hang");
  return { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
}

test("sophia-run shows at a terminal which request takes long, and clears the line at the end", async ({ skip }) => {
  const noTerminal = notInstalled("script", "--version");
  skip(noTerminal !== undefined, noTerminal);
  const env = await startSilentEsc();
  const command = [...sophiaRun, "--timeout", "3s", "--", "echo", "started"].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: folder(),
    env: { PATH: process.env["PATH"], ...CONTRACT_VALUES, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  const progressLine = "sophia-run: opening acme/sophia/dev…";
  expect(screen).toContain(`${progressLine}\r\u001B[K`);
  expect(screen.indexOf(progressLine)).toBeLessThan(screen.indexOf("warning:"));
  expect(screen.trimEnd().endsWith("started")).toBe(true);
});

test("sophia-run shows no progress if standard error is no terminal", async () => {
  const env = await startSilentEsc();
  const { status, stdout, stderr } = await sophia(["--timeout", "2s", "--", "echo", "started"], {
    env: { ...CONTRACT_VALUES, ...env },
  });
  expect([status, stdout]).toEqual([0, "started\n"]);
  expect(stderr).toMatch(/^sophia-run: warning: /);
  expect(stderr).not.toContain("…");
});

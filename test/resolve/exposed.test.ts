import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { CONTRACT_VALUES, folder, sophia, unwrapped } from "../helpers/sophia.ts";

function withMode(files: Readonly<Record<string, string>>, mode: number): string {
  const cwd = folder(files);
  for (const name of Object.keys(files)) chmodSync(join(cwd, name), mode);
  return cwd;
}

describe("a .env file", () => {
  const { QDRANT_URL, ...others } = CONTRACT_VALUES;
  const content = { ".env": `QDRANT_URL=${QDRANT_URL}\nOTHER=1` };

  test.each([0o644, 0o604])(
    "with a secret that everybody can read (%o): one warning, with the command",
    async (mode) => {
      const cwd = withMode(content, mode);
      const { status, stderr } = await sophia(["--", "true"], { cwd, env: others });
      expect([status, stderr]).toEqual([0, "sophia-run: warning: everybody can read .env: chmod 600 .env\n"]);
    },
  );

  test.each([
    [0o600, content],
    [0o640, content],
    [0o644, { ".env": "OTHER=1\nQDRANT_URL=" }],
  ])("that keeps its secrets, or has none, is no matter (%o)", async (mode, files) => {
    const { stderr } = await sophia(["--no-contract", "--", "true"], { cwd: withMode(files, mode), env: others });
    expect(stderr).toBe("");
  });

  test.each([
    [{ GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "github-hosted" }, ""],
    [
      { GITHUB_ACTIONS: "true", RUNNER_ENVIRONMENT: "self-hosted" },
      "sophia-run: warning: everybody can read .env: chmod 600 .env\n",
    ],
  ])("is a matter in GitHub Actions only where others use the machine: %o", async (runner, expected) => {
    const env = { ...others, ...runner };
    const { stderr } = await sophia(["--quiet", "--", "true"], { cwd: withMode(content, 0o644), env });
    expect(stderr).toBe(expected);
  });

  test("with a token counts whatever the contract", async () => {
    const cwd = withMode({ "my env": "ESC_TOKEN=pul-0123456789abcd" }, 0o644);
    const { stderr } = await sophia(["--no-contract", "--dotenv", "my env", "--", "true"], { cwd });
    expect(stderr).toContain("warning: everybody can read my env: chmod 600 'my env'\n");
  });
});

test("a token file that everybody can read: one warning, with a command that ends it", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", { values: CONTRACT_VALUES });
  const cwd = withMode({ token: server.token }, 0o644);
  const path = join(cwd, "token");
  const env = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN_FILE: path, PULUMI_BACKEND_URL: server.url };
  const { status, stderr } = await sophia(["--", "true"], { env });
  const warning = `sophia-run: warning: everybody can read ${path}: chmod 600 ${path}`;
  expect([status, unwrapped(stderr).trimEnd()]).toEqual([0, warning]);
  chmodSync(path, 0o600);
  expect((await sophia(["--", "true"], { env })).stderr).toBe("");
  expect(readFileSync(path, "utf8")).toBe(server.token);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

/** The ESC server and the folder of the demo. The demo closes both by `close`. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addDemoEnvironments } from "../../test/esc-server/demo-data.ts";
import { type EscServer, secret, startEscServer } from "../../test/esc-server/index.ts";
import { type CommandSetting, DEMO_PATH } from "./command.ts";

const root = join(import.meta.dirname, "../..");

/** An environment that lacks one secret. */
export const INCOMPLETE_ENVIRONMENT = "demo-org/sophia/staging";

/** A developer's `.env` file for emergency access; its keys say that they are fake. */
const DOTENV = `export QDRANT_URL=http://localhost:6333
GITHUB_PAT=ghp_fake-from-the-env-file-00000000a1b2
OPENAI_API_KEY=sk-fake-from-the-env-file-00000000c3d4
FEATURE_FLAGS=new-search
`;

/** The demo's ESC server, and its folder with a program and a `.env` file. */
export interface DemoWorld extends CommandSetting {
  readonly server: EscServer;
  /** Ends the server and removes the folder; may be called twice. */
  close(): Promise<void>;
}

/**
 * Builds it. The environment is empty at first: neither variables nor options of the demo's caller reach its commands.
 */
export async function openWorld(): Promise<DemoWorld> {
  const server = await startEscServer();
  const cwd = mkdtempSync(join(tmpdir(), "sophia-run-demo-"));
  addDemoEnvironments(server);
  server.environment(INCOMPLETE_ENVIRONMENT, {
    imports: ["sophia/base"],
    values: {
      PULUMI_ACCESS_TOKEN: secret("pul-fake-staging-0000000000000000000e5f6"),
      ANTHROPIC_API_KEY: secret("sk-ant-fake-staging-00000000000000007a8b"),
    },
  });
  for (const file of ["app.js", "ask.js", "server.js", "sophia.contract.json"])
    copyFileSync(join(root, "examples/sample", file), join(cwd, file));
  writeFileSync(join(cwd, ".env"), DOTENV, { mode: 0o600 });
  return {
    server,
    cwd,
    environment: {
      PATH: DEMO_PATH,
      HOME: cwd,
      PULUMI_BACKEND_URL: server.url,
      ESC_ENV: "demo-org/sophia/dev",
      ESC_TOKEN: server.token,
    },
    async close() {
      rmSync(cwd, { recursive: true, force: true });
      await server.close();
    },
  };
}

/**
 * An ESC environment that meets the contract of the Sophia platform, for the tests of commands. Its secrets begin with
 * `SENTINEL`, which must appear in no output.
 */
import { expect } from "vitest";
import type { EscServer } from "../esc-server/index.ts";
import { secret } from "../esc-server/index.ts";

/** The beginning of every secret of these tests: it must appear in no output. */
export const SENTINEL = "SENTINEL-9f2c";

/** A secret that a test can tell from others, and that no masked end (`***` and four characters) gives away. */
export function sentinelOf(name: string): string {
  return `${SENTINEL}-${name.toLowerCase()}-0000`;
}

/** Checks that a command has shown no secret. */
export function expectNoValue({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): void {
  expect(stdout + stderr).not.toContain(SENTINEL);
}

/** What meets the Sophia contract, all secrets. */
export const SECRET_NAMES = ["PULUMI_ACCESS_TOKEN", "QDRANT_API_KEY", "GITHUB_PAT", "OPENAI_API_KEY"] as const;

/** Adds `acme/sophia/dev`, which meets the Sophia contract and imports `acme/sophia/base`. */
export function addSophiaEnvironment(server: EscServer): void {
  server.environment("acme/sophia/base", {
    values: { QDRANT_URL: "https://qdrant.example.test:6333", LOG_LEVEL: "info" },
  });
  server.environment("acme/sophia/dev", {
    imports: ["sophia/base"],
    values: Object.fromEntries(SECRET_NAMES.map((name) => [name, secret(sentinelOf(name))])),
    files: { GOOGLE_APPLICATION_CREDENTIALS: secret(`{"key":"${sentinelOf("google")}"}\n`) },
  });
}

/** The variables by which sophia-run reads it. */
export function escVariables(server: EscServer, environment = "acme/sophia/dev"): Record<string, string> {
  return { PULUMI_BACKEND_URL: server.url, ESC_TOKEN: server.token, ESC_ENV: environment };
}

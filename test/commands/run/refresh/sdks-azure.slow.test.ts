import { describe, expect, test } from "vitest";
import { notInstalled, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { startAzureWorld } from "./azure-world.ts";
import { fetchJavaScriptClient, fetchPythonClient, shellClient } from "./client-packages.ts";
import { runWithExpiringCredentials, findFailingPrograms, type TestProgram } from "./expiring-credentials.ts";

const javaScriptLibrary = (): TestProgram => ({ command: fetchJavaScriptClient("azure-client.mjs") });
const pythonLibrary = (): TestProgram => ({ command: fetchPythonClient("azure-client.py") });
/** A script that starts Terraform again and again: each start reads the file. */
const script: TestProgram = {
  command: shellClient("azure-script.sh"),
  env: { ASSERTION: 'cat "$ARM_OIDC_TOKEN_FILE_PATH"' },
};
const COPY = 'export COPY=$(cat "$ARM_OIDC_TOKEN_FILE_PATH"); exec "$@"';
/** Terraform in a long run, which reads the file at its start. */
const copyingScript: TestProgram = {
  command: ["sh", "-c", COPY, "sh", ...script.command],
  env: { ASSERTION: 'echo "$COPY"' },
};

/** The last fifth of a life, in which a renewal must come, is longer than a busy machine keeps a process waiting. */
const LIFE_MS = 20_000;
const LASTS_MS = 45_000;

describe("with tokens for Azure that live for some seconds", () => {
  skipBecause(notInstalled("openssl", "version") ?? notInstalled("curl", "--version"));

  test("no library has a failed call", async () => {
    const programs = { "Node.js": javaScriptLibrary(), Python: pythonLibrary(), script };
    expect(await findFailingPrograms(programs, () => startAzureWorld({ lifeMs: LIFE_MS }), LASTS_MS)).toEqual({});
  }, 400_000);

  test("a program that copies its token at the start is refused when that has expired", async () => {
    const { failed, refused } = await runWithExpiringCredentials(
      await startAzureWorld({ lifeMs: 5000 }),
      copyingScript,
      { lastsMs: 8000 },
    );
    expect(refused).toBeGreaterThan(0);
    expect(failed).toHaveLength(refused);
  });
});

describe("in five runs of tokens that live for a minute", () => {
  skipBecause(notNightly ?? notInstalled("openssl", "version") ?? notInstalled("curl", "--version"));

  test("no library has a failed call", async () => {
    const programs = { "Node.js": javaScriptLibrary(), Python: pythonLibrary(), script };
    expect(await findFailingPrograms(programs, () => startAzureWorld({ lifeMs: 60_000 }), 300_000)).toEqual({});
  }, 1_500_000);
});

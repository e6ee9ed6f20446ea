import { describe, expect, test } from "vitest";
import { sophiaRun } from "../../../helpers/program.ts";
import { notInstalled, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { startProcess } from "../../../helpers/start-process.ts";
import { CLIENTS } from "./packages.ts";
import { startAwsWorld } from "./aws-world.ts";

/** Runs a client of STS and S3 with credentials that expire again and again. */
async function runWithExpiringKeys(command: readonly string[], lifeMs: number, lastsMs: number) {
  const refreshScene = await startAwsWorld({ lifeMs });
  const [file, ...words] = [...sophiaRun, "--aws-refresh", "--", ...command];
  // Python's SDK reads the region only there.
  const env = {
    ...refreshScene.env,
    HOME: refreshScene.cwd,
    AWS_DEFAULT_REGION: "eu-central-1",
    AWS_ENDPOINT_URL: refreshScene.stubUrl,
  };
  const started = startProcess([file, ...words], { cwd: refreshScene.cwd, env: { ...env, LASTS: String(lastsMs) } });
  const { status, stdout, stderr } = await started.finished;
  // An SDK may have a warning of its own, about the version of its runtime.
  if (status !== 0 || stderr.includes("sophia-run:")) return { status, stderr };
  const { calls, failed } = JSON.parse(stdout);
  const used = new Set(refreshScene.calls.map(({ keyId, operation }) => `${keyId} ${operation}`)).size;
  return {
    failed,
    refused: refreshScene.calls.filter(({ isAccepted }) => !isAccepted).length,
    unseen: calls - refreshScene.calls.length,
    areAllUsed: used >= 2 * Math.floor(lastsMs / lifeMs),
  };
}

const FLAWLESS = { failed: [], refused: 0, unseen: 0, areAllUsed: true };

test("the SDK for JavaScript has no failed call", async () => {
  expect(await runWithExpiringKeys(CLIENTS.JavaScript(), 8000, 20_000)).toEqual(FLAWLESS);
}, 400_000);

describe("in five runs of credentials that live for a minute", () => {
  skipBecause(
    notNightly ??
      notInstalled("python3", "--version") ??
      notInstalled("go", "version") ??
      notInstalled("mvn", "--version"),
  );

  test("no SDK has a failed call", async () => {
    const commands = Object.entries(CLIENTS).map(([name, command]) => [name, command()] as const);
    const outcomes = await Promise.all(
      commands.map(async ([name, command]) => [name, await runWithExpiringKeys(command, 60_000, 300_000)] as const),
    );
    expect(Object.fromEntries(outcomes)).toEqual(
      Object.fromEntries(Object.keys(CLIENTS).map((name) => [name, FLAWLESS])),
    );
  }, 1_500_000);
});

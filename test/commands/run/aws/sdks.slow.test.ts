import { describe, expect, test } from "vitest";
import { sophiaRun } from "../../../helpers/program.ts";
import { notInstalled, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { start } from "../../../helpers/started.ts";
import { CLIENTS } from "./packages.ts";
import { awsWorld } from "./world.ts";

/** Runs a client of STS and S3 with credentials that expire again and again. @returns what failed, and how many were used */
async function expiring(command: readonly string[], lifeMs: number, lastsMs: number) {
  const it = await awsWorld({ lifeMs });
  const [file = "", ...words] = [...sophiaRun, "--aws-refresh", "--", ...command];
  const env = { ...it.env, HOME: it.cwd, AWS_ENDPOINT_URL: it.aws, LASTS: String(lastsMs) };
  const { status, stdout, stderr } = await start([file, ...words], { cwd: it.cwd, env }).finished;
  // An SDK may have a warning of its own, about the version of its runtime.
  expect([status, stderr.includes("sophia-run:")]).toEqual([0, false]);
  const { calls, failed } = JSON.parse(stdout);
  expect(it.calls).toHaveLength(calls);
  const refused = it.calls.filter(({ isAccepted }) => !isAccepted).length;
  const used = new Set(it.calls.map(({ keyId, operation }) => `${keyId} ${operation}`)).size;
  return { failed, refused, areAllUsed: used >= 2 * Math.floor(lastsMs / lifeMs) };
}

const FLAWLESS = { failed: [], refused: 0, areAllUsed: true };

test("the SDK for JavaScript has no failed call", async () => {
  expect(await expiring(CLIENTS.JavaScript(), 8000, 20_000)).toEqual(FLAWLESS);
}, 400_000);

describe("five runs of credentials that live for a minute", () => {
  skipBecause(
    notNightly ??
      notInstalled("python3", "--version") ??
      notInstalled("go", "version") ??
      notInstalled("mvn", "--version"),
  );

  test("no SDK has a failed call", async () => {
    const commands = Object.entries(CLIENTS).map(([name, command]) => [name, command()] as const);
    const outcomes = await Promise.all(
      commands.map(async ([name, command]) => [name, await expiring(command, 60_000, 300_000)] as const),
    );
    expect(Object.fromEntries(outcomes)).toEqual(
      Object.fromEntries(Object.keys(CLIENTS).map((name) => [name, FLAWLESS])),
    );
  }, 1_500_000);
});

/** Official clients make 50 calls a second through `sophia-run --broker --watch` while their key is replaced. */
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBrokeredWorld, startBrokered } from "../../helpers/brokered.ts";
import { notNightly, skipBecause } from "../../helpers/skip.ts";
import { unwrapped } from "../../helpers/sophia.ts";
import { fetchJavaScript } from "./packages.ts";
import { answerAsProvider } from "./providers.ts";

const KEYS = { openai: "OPENAI_API_KEY", "@anthropic-ai/sdk": "ANTHROPIC_API_KEY" } as const;
const [OLD_KEY, NEW_KEY] = ["sk-first-0a1b2c3d4e5f", "sk-second-6a7b8c9d0e1f"] as const;

/** Starts a client, and returns when it has made 100 calls. */
async function startCallingClient(client: keyof typeof KEYS, every: string) {
  const folder = fetchJavaScript();
  const name = `rotation-${process.pid}.mjs`;
  copyFileSync(join(import.meta.dirname, "rotation.mjs"), join(folder, name));
  onTestFinished(() => rmSync(join(folder, name), { force: true }));
  const it = await startBrokeredWorld((request, response) => void answerAsProvider(request, response));
  const key = KEYS[client];
  it.values({ [key]: OLD_KEY });
  it.accept(OLD_KEY);
  const command = [process.execPath, join(folder, name), client];
  const started = startBrokered(it, ["--watch-every", every, "--audit-log", "log"], command);
  await started.seen(/^succeeded 100$/m);
  const rotate = (): void => it.values({ [key]: NEW_KEY });
  /** Resolves when 100 more calls have succeeded. */
  const waitForMoreCalls = async (): Promise<void> => {
    const [, last] = await started.seen(/succeeded (\d+)\n(?![^]*succeeded)/);
    await started.seen(new RegExp(`^succeeded ${Number(last) + 100}$`, "m"));
  };
  const endClient = async () => {
    process.kill(started.pid, "SIGTERM");
    const ended = await started.finished;
    const [, made, succeeded] = /^made (\d+), succeeded (\d+)/m.exec(ended.stdout) ?? [];
    const failed = ended.stdout.match(/^failed .*$/gm) ?? [];
    return { ...ended, made: Number(made), succeeded: Number(succeeded), failed };
  };
  return { ...it, started, key, rotate, waitForMoreCalls, endClient };
}

/**
 * Returns when the requests began that the service refused, and when the broker swapped the key, according to the audit
 * log.
 */
function timesIn(log: readonly Record<string, unknown>[]) {
  const swaps = log.filter(({ event }) => event === "swap").map(({ time }) => Date.parse(String(time)));
  const refused = log.filter(({ status }) => status === 401);
  return { swaps, refused: refused.map(({ time, ms }) => Date.parse(String(time)) - Number(ms)) };
}

describe.each(["openai", "@anthropic-ai/sdk"] as const)(
  "a rotation of the key of %s, which makes 50 calls a second,",
  { timeout: 400_000 },
  (client) => {
    // The second client sends its key in another header. Other tests cover that header.
    if (client !== "openai") skipBecause(notNightly);
    // With the long interval, sophia-run reads ESC only because of the answers with 401.
    test.each(["1s", "1h"])("loses no call if the former key is revoked first (--watch-every %s)", async (every) => {
      const it = await startCallingClient(client, every);
      const before = it.keys().length;
      it.accept(NEW_KEY);
      it.rotate();
      await it.started.reported(/changed in ESC/);
      await it.waitForMoreCalls();
      const { status, stdout, stderr, made, succeeded, failed } = await it.endClient();
      expect([status, stdout.match(/^run /gm)?.length]).toEqual([0, 1]);
      const line = `${it.key} changed in ESC: the broker uses the new value, the program runs on`;
      expect(unwrapped(stderr)).toBe(`sophia-run: ${line}
`);
      expect(failed).toEqual([]);
      expect(succeeded).toBe(made);
      expect(made).toBeGreaterThanOrEqual(200);
      const { swaps, refused } = timesIn(it.log());
      expect(swaps).toHaveLength(1);
      if (every === "1h") expect(refused.length).toBeGreaterThan(0);
      // Only requests that were under way reached the service with the former key. The times are in whole milliseconds.
      for (const began of refused) expect(began).toBeLessThanOrEqual((swaps[0] ?? 0) + 2);
      expect(
        it
          .keys()
          .slice(before)
          .filter((key) => key === OLD_KEY),
      ).toHaveLength(refused.length);
      expect(it.keys()).toHaveLength(made + refused.length);
    });

    test("loses calls until ESC has the new key, and none after the swap", async () => {
      const it = await startCallingClient(client, "1s");
      it.accept(NEW_KEY);
      await it.started.seen(/^failed 401$/m);
      it.rotate();
      await it.started.reported(/changed in ESC/);
      await it.waitForMoreCalls();
      const { status, made, succeeded, failed } = await it.endClient();
      expect(status).toBe(0);
      expect(new Set(failed)).toEqual(new Set(["failed 401"]));
      expect(succeeded + failed.length).toBe(made);
      const { swaps, refused } = timesIn(it.log());
      for (const began of refused) expect(began).toBeLessThanOrEqual((swaps[0] ?? 0) + 2);
    });
  },
);

/** A key is replaced while official clients make 50 calls a second through `sophia-run --broker --watch`. */
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBrokeredWorld, startBrokered } from "../../helpers/brokered.ts";
import { notNightly, skipBecause } from "../../helpers/skip.ts";
import { unwrapped } from "../../helpers/sophia.ts";
import { fetchJavaScript } from "./packages.ts";
import { answerAsProvider } from "./providers.ts";

const KEYS = { openai: "OPENAI_API_KEY", "@anthropic-ai/sdk": "ANTHROPIC_API_KEY" } as const;
const [ONE, TWO] = ["sk-first-0a1b2c3d4e5f", "sk-second-6a7b8c9d0e1f"] as const;

/** A client that has made 100 calls. */
async function calling(client: keyof typeof KEYS, every: string) {
  const folder = fetchJavaScript();
  const name = `rotation-${process.pid}.mjs`;
  copyFileSync(join(import.meta.dirname, "rotation.mjs"), join(folder, name));
  onTestFinished(() => rmSync(join(folder, name), { force: true }));
  const it = await startBrokeredWorld((request, response) => void answerAsProvider(request, response));
  const key = KEYS[client];
  it.values({ [key]: ONE });
  it.accept(ONE);
  const command = [process.execPath, join(folder, name), client];
  const started = startBrokered(it, ["--watch-every", every, "--audit-log", "log"], command);
  await started.seen(/^succeeded 100$/m);
  const rotate = (): void => it.values({ [key]: TWO });
  /** Resolves when 100 more calls have succeeded. */
  const more = async (): Promise<void> => {
    const [, last] = await started.seen(/succeeded (\d+)\n(?![^]*succeeded)/);
    await started.seen(new RegExp(`^succeeded ${Number(last) + 100}$`, "m"));
  };
  const end = async () => {
    process.kill(started.pid, "SIGTERM");
    const ended = await started.finished;
    const [, made, succeeded] = /^made (\d+), succeeded (\d+)/m.exec(ended.stdout) ?? [];
    const failed = ended.stdout.match(/^failed .*$/gm) ?? [];
    return { ...ended, made: Number(made), succeeded: Number(succeeded), failed };
  };
  return { ...it, started, key, rotate, more, end };
}

/** When requests began that a service refused, and when the key was swapped, by the records. */
function timesIn(log: readonly Record<string, unknown>[]) {
  const swaps = log.filter(({ event }) => event === "swap").map(({ time }) => Date.parse(String(time)));
  const refused = log.filter(({ status }) => status === 401);
  return { swaps, refused: refused.map(({ time, ms }) => Date.parse(String(time)) - Number(ms)) };
}

describe.each(["openai", "@anthropic-ai/sdk"] as const)("%s at 50 calls a second", { timeout: 400_000 }, (client) => {
  // The second client has its key in another header, which other tests try.
  if (client !== "openai") skipBecause(notNightly);
  // With the long interval the answers of 401 alone have ESC looked at.
  test.each(["1s", "1h"])("loses no call if the former key is revoked first (--watch-every %s)", async (every) => {
    const it = await calling(client, every);
    const before = it.keys().length;
    it.accept(TWO);
    it.rotate();
    await it.started.reported(/changed in ESC/);
    await it.more();
    const { status, stdout, stderr, made, succeeded, failed } = await it.end();
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
    // Only requests that were under way reached the service with the former key. Times are in whole milliseconds.
    for (const began of refused) expect(began).toBeLessThanOrEqual((swaps[0] ?? 0) + 2);
    expect(
      it
        .keys()
        .slice(before)
        .filter((key) => key === ONE),
    ).toHaveLength(refused.length);
    expect(it.keys()).toHaveLength(made + refused.length);
  });

  test("loses calls until ESC has the new key, and none after the swap", async () => {
    const it = await calling(client, "1s");
    it.accept(TWO);
    await it.started.seen(/^failed 401$/m);
    it.rotate();
    await it.started.reported(/changed in ESC/);
    await it.more();
    const { status, made, succeeded, failed } = await it.end();
    expect(status).toBe(0);
    expect(new Set(failed)).toEqual(new Set(["failed 401"]));
    expect(succeeded + failed.length).toBe(made);
    const { swaps, refused } = timesIn(it.log());
    for (const began of refused) expect(began).toBeLessThanOrEqual((swaps[0] ?? 0) + 2);
  });
});

import { describe, expect, test } from "vitest";
import { notInstalled, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { go, javaScript, python, shell } from "./client-packages.ts";
import { expiring, FLAWLESS } from "./expiring.ts";
import { googleWorld } from "./google-world.ts";

/** Programs, each with a command and variables. */
const READS_FILE = { TOKEN: 'cat "$CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"' };
const GCLOUD = { TOKEN: "gcloud auth print-access-token --quiet", CLOUDSDK_CORE_DISABLE_PROMPTS: "1" };
/** Copies the token at its start. */
const COPIES = ["sh", "-c", 'export COPY=$(cat "$CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"); exec "$@"', "sh"];

async function run(command: readonly string[], lifeMs: number, lastsMs: number, env: Readonly<Record<string, string>>) {
  return expiring(await googleWorld({ lifeMs }), command, { lastsMs, env });
}

describe("access tokens of Google that live for some seconds", () => {
  test("the library for Node.js has no failed call", async () => {
    expect(await run(javaScript("google-client.mjs"), 8000, 20_000, {})).toEqual(FLAWLESS);
  }, 400_000);

  describe("in Python", () => {
    skipBecause(notInstalled("python3", "--version"));

    test("the library has no failed call", async () => {
      expect(await run(python("google-client.py"), 8000, 20_000, {})).toEqual(FLAWLESS);
    }, 400_000);
  });

  describe("in a script", () => {
    skipBecause(notInstalled("curl", "--version"));

    test("one that reads the file at each call has no failed call", async () => {
      expect(await run(shell("google-script.sh"), 8000, 20_000, READS_FILE)).toEqual(FLAWLESS);
    });

    test("one that copies the token at its start is refused when it has expired", async () => {
      const { failed, refused } = await run([...COPIES, ...shell("google-script.sh")], 5000, 8000, {
        TOKEN: 'echo "$COPY"',
      });
      expect(refused).toBeGreaterThan(0);
      expect(failed).toHaveLength(refused ?? 0);
    });
  });
});

describe("five runs of access tokens that live for a minute", () => {
  skipBecause(
    notNightly ??
      notInstalled("python3", "--version") ??
      notInstalled("go", "version") ??
      notInstalled("curl", "--version"),
  );

  test("no library has a failed call", async () => {
    const programs = {
      Python: [python("google-client.py"), {}],
      "Node.js": [javaScript("google-client.mjs"), {}],
      Go: [go(), {}],
      "a script": [shell("google-script.sh"), READS_FILE],
      ...(notInstalled("gcloud", "--version") === undefined ? { gcloud: [shell("google-script.sh"), GCLOUD] } : {}),
    } satisfies Readonly<Record<string, readonly [readonly string[], Readonly<Record<string, string>>]>>;
    const outcomes = await Promise.all(
      Object.entries(programs).map(async ([name, [command, env]]) => {
        return [name, await run(command, 60_000, 300_000, env)] as const;
      }),
    );
    expect(Object.fromEntries(outcomes)).toEqual(
      Object.fromEntries(Object.keys(programs).map((name) => [name, FLAWLESS])),
    );
  }, 1_500_000);
});

import { describe, expect, test } from "vitest";
import { notInstalled, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { azureWorld } from "./azure-world.ts";
import { javaScript, python, shell } from "./client-packages.ts";
import { expiring, FLAWLESS } from "./expiring.ts";

/** As a script that starts Terraform again and again: each start reads the file. */
const READS_FILE = { ASSERTION: 'cat "$ARM_OIDC_TOKEN_FILE_PATH"' };
/** As Terraform does in a long run: it reads the file at its start. */
const COPIES = ["sh", "-c", 'export COPY=$(cat "$ARM_OIDC_TOKEN_FILE_PATH"); exec "$@"', "sh"];

async function run(command: readonly string[], lifeMs: number, lastsMs: number, env: Readonly<Record<string, string>>) {
  return expiring(await azureWorld({ lifeMs }), command, { lastsMs, env });
}

describe("tokens for Azure that live for some seconds", () => {
  skipBecause(notInstalled("openssl", "version"));

  test("the library for Node.js has no failed call", async () => {
    expect(await run(javaScript("azure-client.mjs"), 8000, 20_000, {})).toEqual(FLAWLESS);
  }, 400_000);

  describe("in a script", () => {
    skipBecause(notInstalled("curl", "--version"));

    test("one that reads the file at each call has no failed call", async () => {
      expect(await run(shell("azure-script.sh"), 8000, 20_000, READS_FILE)).toEqual(FLAWLESS);
    });

    test("one that copies the token at its start is refused when it has expired", async () => {
      const command = [...COPIES, ...shell("azure-script.sh")];
      const { failed, refused } = await run(command, 5000, 8000, { ASSERTION: 'echo "$COPY"' });
      expect(refused).toBeGreaterThan(0);
      expect(failed).toHaveLength(refused ?? 0);
    });
  });
});

describe("five runs of tokens that live for a minute", () => {
  skipBecause(
    notNightly ??
      notInstalled("openssl", "version") ??
      notInstalled("python3", "--version") ??
      notInstalled("curl", "--version"),
  );

  test("no library has a failed call", async () => {
    const programs = {
      Python: [python("azure-client.py"), {}],
      "Node.js": [javaScript("azure-client.mjs"), {}],
      "a script": [shell("azure-script.sh"), READS_FILE],
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

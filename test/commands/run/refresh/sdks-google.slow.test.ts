import { describe, expect, test } from "vitest";
import { startProxy } from "../../../esc-server/proxy.ts";
import { notInstalled, notNightly, skipBecause } from "../../../helpers/skip.ts";
import { buildGoClient, fetchJavaScriptClient, fetchPythonClient, shellClient } from "./client-packages.ts";
import { runWithExpiringCredentials, findFailingPrograms, type TestProgram } from "./expiring-credentials.ts";
import { startGoogleWorld } from "./google-world.ts";

const javaScriptLibrary = (): TestProgram => ({ command: fetchJavaScriptClient("google-client.mjs") });
const pythonLibrary = (): TestProgram => ({ command: fetchPythonClient("google-client.py") });
const goLibrary = (): TestProgram => ({ command: buildGoClient() });
/** A script that reads the file at each call. */
const script: TestProgram = {
  command: shellClient("google-script.sh"),
  env: { TOKEN: 'cat "$CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"' },
};
const scriptOfGcloud: TestProgram = {
  command: script.command,
  env: { TOKEN: "gcloud auth print-access-token --quiet" },
};
const COPY = 'export COPY=$(cat "$CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"); exec "$@"';
/** A script that copies the token at its start. */
const copyingScript: TestProgram = {
  command: ["sh", "-c", COPY, "sh", ...script.command],
  env: { TOKEN: 'echo "$COPY"' },
};

/** The last fifth of a life, in which a renewal must come, is longer than a busy machine keeps a process waiting. */
const LIFE_MS = 20_000;
const LASTS_MS = 45_000;

describe("with access tokens of Google that live for some seconds", () => {
  skipBecause(notInstalled("curl", "--version"));

  test("no library has a failed call", async () => {
    const programs = { "Node.js": javaScriptLibrary(), Python: pythonLibrary(), script };
    expect(await findFailingPrograms(programs, () => startGoogleWorld({ lifeMs: LIFE_MS }), LASTS_MS)).toEqual({});
  }, 400_000);

  test("a program that copies its token at the start is refused when that has expired", async () => {
    const { failed, refused } = await runWithExpiringCredentials(
      await startGoogleWorld({ lifeMs: 5000 }),
      copyingScript,
      { lastsMs: 8000 },
    );
    expect(refused).toBeGreaterThan(0);
    expect(failed).toHaveLength(refused);
  });

  test.each([
    ["Node.js", javaScriptLibrary],
    ["Python", pythonLibrary],
  ])(
    "the library for %s shows why there is no token, and sends no expired one",
    async (_, library) => {
      const googleScene = await startGoogleWorld({ lifeMs: 6000 });
      const running = runWithExpiringCredentials(googleScene, library(), { lastsMs: 9000 });
      await googleScene.server.waitFor("read");
      googleScene.server.failAlways("open", 403);
      const { status, failed, refused } = await running;
      expect({ status, refused }).toEqual({ status: 0, refused: 0 });
      expect(failed.length).toBeGreaterThan(0);
      for (const message of failed) expect(message).toContain("the Google Cloud credentials have expired");
    },
    400_000,
  );

  test("no proxy of the program sees a request for a token", async () => {
    await using proxy = await startProxy();
    const proxies = Object.fromEntries(
      ["HTTP_PROXY", "HTTPS_PROXY"].flatMap((name) => [name, name.toLowerCase()]).map((name) => [name, proxy.url]),
    );
    const programs = Object.fromEntries(
      Object.entries({ "Node.js": javaScriptLibrary(), Python: pythonLibrary() }).map(([name, { command }]) => {
        return [name, { command, env: { ...proxies, no_proxy: "internal.example.test" } }];
      }),
    );
    expect(await findFailingPrograms(programs, () => startGoogleWorld({ lifeMs: 60_000 }), 2000)).toEqual({});
    expect(proxy.requests).toEqual([]);
  }, 400_000);
});

describe("in five runs of access tokens that live for a minute", () => {
  skipBecause(notNightly ?? notInstalled("go", "version") ?? notInstalled("curl", "--version"));

  test("no library has a failed call", async () => {
    const programs = {
      "Node.js": javaScriptLibrary(),
      Python: pythonLibrary(),
      Go: goLibrary(),
      script,
      ...(notInstalled("gcloud", "--version") === undefined ? { gcloud: scriptOfGcloud } : {}),
    };
    expect(await findFailingPrograms(programs, () => startGoogleWorld({ lifeMs: 60_000 }), 300_000)).toEqual({});
  }, 1_500_000);
});

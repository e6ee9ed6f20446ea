/** Whatever happens while the cache is written, the cache must have either its former values or the new values. */
import { execFileSync } from "node:child_process";
import { constants } from "node:os";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../../esc-server/index.ts";
import { missingCommand, notLinux, skipBecause } from "../../helpers/skip.ts";
import { folder, isStandalone, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { listEntries, readEscThroughCache } from "./cached-esc.ts";

const noLibrary =
  notLinux ?? (isStandalone ? "the stand-alone executable loads no libraries" : undefined) ?? missingCommand("cc");
skipBecause(noLibrary);

let library = "";
beforeAll(() => {
  if (noLibrary !== undefined) return;
  library = join(execFileSync("mktemp", ["-d"], { encoding: "utf8" }).trim(), "faulty.so");
  execFileSync("cc", ["-shared", "-fPIC", "-o", library, join(import.meta.dirname, "faulty.c"), "-ldl"]);
  return () => execFileSync("rm", ["-r", join(library, "..")]);
});

async function startCachedEsc() {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const environment = server.environment("acme/sophia/dev", { values: { A: "old" } });
  const cacheHome = folder();
  const env = {
    ESC_ENV: "acme/sophia/dev",
    ESC_TOKEN: server.token,
    PULUMI_BACKEND_URL: server.url,
    XDG_CACHE_HOME: cacheHome,
    SOPHIA_NO_CONTRACT: "1",
    NODE_DISABLE_COMPILE_CACHE: "1",
  };
  return {
    cacheHome,
    environment,
    start: (further: Readonly<Record<string, string>> = {}) =>
      sophia(["--cache", "--", "printenv", "A"], { env: { ...env, ...further } }),
    /** Returns the value of A that a start with `--offline` reads from the cache, or the failure. */
    kept: async (): Promise<unknown> => {
      const reading = await readEscThroughCache(server, cacheHome, { offline: true }, {});
      return reading.kind === "read" ? reading.layers[0]?.variables[0]?.value : reading.failure.message;
    },
  };
}

test("a SIGKILL before any step leaves the old or the new cache, and the next write removes unfinished files", async () => {
  const { cacheHome, environment, start, kept } = await startCachedEsc();
  await start();
  environment.revise({ values: { A: "new" } });
  const valuesAfterKill: unknown[] = [];
  for (let faultPosition = 1; ; faultPosition += 1) {
    const result = await start({ LD_PRELOAD: library, FAULT_AT: String(faultPosition) });
    if (result.signal === null) break;
    expect(result.signal).toBe("SIGKILL");
    valuesAfterKill.push(await kept());
  }
  // The first six kills precede open, fchmod, both halves of the text, fsync and rename. The others precede calls for the folder.
  expect(valuesAfterKill.slice(0, 6)).toEqual(["old", "old", "old", "old", "old", "old"]);
  expect(new Set(valuesAfterKill.slice(6))).toEqual(new Set(["new"]));
  const unfinishedNames = listEntries(cacheHome).filter((name) => name.endsWith(".tmp"));
  expect(unfinishedNames.length).toBeGreaterThan(0);
  for (const name of unfinishedNames) utimesSync(join(cacheHome, "sophia-run", name), 0, 0);
  expect((await start()).stdout).toBe("new\n");
  expect(listEntries(cacheHome)).toHaveLength(1);
});

describe("a start that cannot write the cache continues, warns, and leaves the old values", () => {
  const callFaults = ["open", "write", "fsync", "fchmod", "rename"].map(
    (call) =>
      [
        `because ${call} finds no space`,
        { FAULT_IN: call, FAULT_ERRNO: String(constants.errno.ENOSPC) },
        "ENOSPC",
      ] as const,
  );
  test.each([
    ...callFaults,
    ["because the file system is read-only", { FAULT_IN: "open", FAULT_ERRNO: String(constants.errno.EROFS) }, "EROFS"],
  ] as const)("%s", async (_, fault, code) => {
    const { cacheHome, environment, start, kept } = await startCachedEsc();
    await start();
    environment.revise({ values: { A: "new" } });
    const { status, stdout, stderr } = await start({ LD_PRELOAD: library, ...fault });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "new\n" });
    expect(unwrapLines(stderr)).toMatch(new RegExp(`^sophia-run: warning: .*\\(${code}\\)\\n$`));
    expect(await kept()).toBe("old");
    expect(listEntries(cacheHome)).toHaveLength(1);
  });
});

test("several starts at the same time leave one complete file", async () => {
  const { cacheHome, environment, start, kept } = await startCachedEsc();
  const values = ["old"];
  await Promise.all(
    ["one", "two", "three", "four", "five"].map((value) => {
      values.push(value);
      const started = start();
      environment.revise({ values: { A: value } });
      return started;
    }),
  );
  expect(values).toContain(await kept());
  expect(listEntries(cacheHome)).toHaveLength(1);
});

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EscServer, secret, startEscServer } from "../esc-server/index.ts";
import { notPreloadable, skipBecause } from "../helpers/skip.ts";
import { runSophia } from "../esc/run-program.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "../esc/faults/sentinels.ts";

let server: EscServer;
let folder: string;
beforeAll(async () => {
  server = await startEscServer({ token: SENTINEL_TOKEN });
  server.environment("demo-org/sophia/dev", { values: { KEY: secret(SENTINEL_SECRET), N: 1 } });
  folder = await mkdtemp(join(tmpdir(), "esc-crash-"));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Bugs that a preloaded script injects; each error contains all values in its scope. */
const BUGS = {
  "in the list of layers": `
    const { toReversed } = Array.prototype;
    Array.prototype.toReversed = function () {
      if (this[0]?.variables !== undefined) throw new Error(JSON.stringify(this));
      return toReversed.call(this);
    };`,
  "in receiving": `
    Buffer.concat = (chunks) => { throw new TypeError(chunks.map(String).join("")); };`,
  "in the request": `
    const http = require("node:http");
    const { request } = http;
    http.request = (options) => { throw new RangeError(JSON.stringify(options.headers)); };`,
  "beyond all catching": `
    Buffer.concat = (chunks) => {
      process.nextTick(() => { throw new Error(chunks.map(String).join("")); });
      return Buffer.alloc(0);
    };`,
  "with a value that is not an error": `
    Buffer.concat = (chunks) => { throw chunks.map(String).join(""); };`,
};

describe("an internal error", () => {
  skipBecause(notPreloadable);

  test.each(Object.entries(BUGS))("%s ends sophia-run with 125 and shows no value", async (name, script) => {
    const preload = join(folder, `${name.replaceAll(" ", "-")}.cjs`);
    await writeFile(preload, script);
    const before = await readdir(folder);
    const finished = await runSophia(
      ["--no-contract", "--", "echo", "started"],
      {
        ESC_ENV: "demo-org/sophia/dev",
        ESC_TOKEN: SENTINEL_TOKEN,
        PULUMI_BACKEND_URL: server.url,
        NODE_OPTIONS: `--require ${preload}`,
      },
      folder,
    );
    expect(finished).toMatchObject({ status: 125, signal: null, stdout: "" });
    expect(finished.stderr).toMatch(/^sophia-run: internal error \(\w+\)/);
    expect(finished.stderr).not.toContain(SENTINEL_SECRET);
    expect(finished.stderr).not.toContain(SENTINEL_TOKEN);
    expect(await readdir(folder)).toEqual(before);
  });
});

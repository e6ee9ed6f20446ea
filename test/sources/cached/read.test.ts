import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryNameFor, decrypt, encrypt } from "../../../src/sources/cached/seal.ts";
import type { EscReading } from "../../../src/sources/esc-layers.ts";
import { folder } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { listEntries, createSealedEntry, CACHED_VALUE, startCachedEsc } from "./cached-esc.ts";

function valuesOf(reading: EscReading): Readonly<Record<string, string>> | string {
  if (reading.kind !== "read") return [reading.failure.message, ...(reading.failure.details ?? [])].join("\n");
  return Object.fromEntries(
    reading.layers.flatMap(({ variables }) => variables.map(({ name, value }) => [name, value])),
  );
}

/** Expects that the cache is not used, and compares the message with the snapshot. */
function expectUnusedCache(reading: EscReading): void {
  expect(reading.kind).toBe("unavailable");
  const message = valuesOf(reading);
  if (typeof message === "string") expectWording(message.replaceAll(/esc-[\da-f-]{65}/g, "<entry>"));
}

function expectNotices(reading: EscReading): void {
  if (reading.kind !== "read") throw new Error("not read");
  expectWording(JSON.stringify(reading.notices));
}

const VALUES = { A: CACHED_VALUE, B: "plain", F: "file" };
const isRoot = process.geteuid?.() === 0;

describe("the cache", () => {
  test("is private and encrypted, and is used with all details if ESC is not available", async () => {
    const { server, cacheHome, folder: own, entryPath, readCachedEsc } = await startCachedEsc();
    expect(valuesOf(await readCachedEsc())).toEqual(VALUES);
    expect(listEntries(cacheHome)).toHaveLength(1);
    expect([statSync(own).mode & 0o777, statSync(entryPath()).mode & 0o777]).toEqual([0o700, 0o600]);
    const bytes = readFileSync(entryPath(), "latin1");
    for (const text of [CACHED_VALUE, server.token, "acme", "plain"]) expect(bytes).not.toContain(text);

    await server.close();
    const reading = await readCachedEsc();
    expect(valuesOf(reading)).toEqual(VALUES);
    expect(reading).toMatchObject({
      cacheUse: { why: "unavailable", failure: { code: "esc-unreachable" } },
      environments: [{ name: "acme/sophia/dev", revision: "1", ageSeconds: expect.any(Number) }],
      notices: [{ kind: "esc-kept", environments: ["acme/sophia/dev@1"], failure: { code: "esc-unreachable" } }],
      layers: [
        {
          variables: [
            {
              name: "A",
              secret: true,
              delivery: "value",
              origin: { source: "esc", revision: "1", line: expect.any(Number) },
            },
            { name: "B", secret: false },
            { name: "F", delivery: "file" },
          ],
        },
      ],
    });
  });

  test.each([
    ["503", "unavailable", 1],
    ["401", "refused", 0],
    ["403", "refused", 0],
    ["404", "refused", 0],
  ] as const)("is removed after a refusal of ESC, and remains after a server error: %s", async (status, kind, left) => {
    const { server, cacheHome, readCachedEsc } = await startCachedEsc();
    await readCachedEsc();
    server.failAlways("open", { kind: "status", status: Number(status) });
    expect(await readCachedEsc({ requireEsc: true })).toMatchObject({ kind });
    expect(listEntries(cacheHome)).toHaveLength(left);
  });

  test("of a refused token is removed, and the cache of another token remains", async () => {
    const { server, cacheHome, readCachedEsc } = await startCachedEsc();
    await readCachedEsc();
    const wrong = { ESC_TOKEN: "pul-wrong" };
    expect(await readCachedEsc({}, wrong)).toMatchObject({ kind: "refused" });
    expect(valuesOf(await readCachedEsc({ offline: true }, wrong))).toBeTypeOf("string");
    expect(valuesOf(await readCachedEsc({ offline: true }))).toEqual(VALUES);

    const { value: second } = server.addToken({ owner: { kind: "organization", organization: "acme" } });
    const otherToken = { ESC_TOKEN: second };
    expect(valuesOf(await readCachedEsc({}, otherToken))).toEqual(VALUES);
    expect(listEntries(cacheHome)).toHaveLength(2);
    server.failAlways("open", { kind: "status", status: 401 });
    expect(await readCachedEsc({}, otherToken)).toMatchObject({ kind: "refused" });
    expect(valuesOf(await readCachedEsc({ offline: true }, otherToken))).toBeTypeOf("string");
    expect(valuesOf(await readCachedEsc({ offline: true }))).toEqual(VALUES);
  });

  test("remains for the last four tokens", async () => {
    const { server, cacheHome, folder: own, readCachedEsc } = await startCachedEsc();
    const tokens = Array.from({ length: 6 }, () =>
      server.addToken({ owner: { kind: "organization", organization: "acme" } }),
    );
    for (const [index, { value }] of tokens.entries()) {
      const before = new Set(listEntries(cacheHome));
      await readCachedEsc({}, { ESC_TOKEN: value });
      const added = listEntries(cacheHome).find((name) => !before.has(name)) ?? "";
      utimesSync(join(own, added), index, index);
    }
    const readingKinds = await Promise.all(
      tokens.map(async ({ value }) => (await readCachedEsc({ offline: true }, { ESC_TOKEN: value })).kind),
    );
    expect(readingKinds).toEqual(["unavailable", "unavailable", "read", "read", "read", "read"]);
  });

  test("is replaced each time ESC is read", async () => {
    const { server, environment, readCachedEsc } = await startCachedEsc();
    await readCachedEsc();
    environment.revise({ values: { A: "new" } });
    await readCachedEsc();
    await server.close();
    expect(valuesOf(await readCachedEsc())).toEqual({ A: "new" });
  });

  test("is used without contacting ESC while it is fresh", async () => {
    const { server, readCachedEsc } = await startCachedEsc();
    await readCachedEsc({ cacheFreshMs: 60_000 });
    expect(server.count("any")).toBe(2);
    expect(await readCachedEsc({ cacheFreshMs: 60_000 })).toMatchObject({ cacheUse: { why: "fresh" }, notices: [] });
    expect(server.connections).toBe(1);
    await readCachedEsc({ cacheFreshMs: 1 });
    expect(server.count("any")).toBe(4);
  });

  test("repeats the notice about another organization's environment", async () => {
    const { server, readCachedEsc } = await startCachedEsc();
    server.environment("acme/default/dev", { values: { A: CACHED_VALUE } });
    const variables = { ESC_ENV: "acme/dev", ESC_ORG: "other-org" };
    const notice = {
      kind: "esc-old-form",
      written: "acme/dev",
      opened: "acme/default/dev",
      instead: "other-org/acme/dev",
    };
    expect(await readCachedEsc({ cacheFreshMs: 60_000 }, variables)).toMatchObject({ notices: [notice] });
    expect(await readCachedEsc({ cacheFreshMs: 60_000 }, variables)).toMatchObject({
      cacheUse: { why: "fresh" },
      notices: [notice],
    });
  });

  test("is used with --offline, without contacting ESC", async () => {
    const { server, readCachedEsc } = await startCachedEsc();
    await readCachedEsc();
    const { connections } = server;
    expect(valuesOf(await readCachedEsc({ offline: true }))).toEqual(VALUES);
    expect(server.connections).toBe(connections);
  });

  test("is not used with --require-esc", async () => {
    const { server, readCachedEsc } = await startCachedEsc();
    await readCachedEsc({ cacheFreshMs: 60_000, requireEsc: true });
    expect(await readCachedEsc({ cacheFreshMs: 60_000, requireEsc: true })).not.toHaveProperty("kept");
    expect(server.count("open")).toBe(2);
    await expect(readCachedEsc({ offline: true, requireEsc: true })).rejects.toThrow("--offline");
    await server.close();
    expect(await readCachedEsc({ requireEsc: true })).toMatchObject({ kind: "unavailable" });
  });
});

describe("the cache is not used", () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ["for another token", { ESC_TOKEN: "pul-another" }],
    ["for another environment", { ESC_ENV: "acme/sophia/prod" }],
    ["for another revision", { ESC_ENV: "acme/sophia/dev@1" }],
    ["for another backend", { PULUMI_BACKEND_URL: "http://127.0.0.1:1" }],
    ["for another organization if the name has no organization", { ESC_ORG: "other-org" }],
  ])("%s", async (_, variables) => {
    const { entryPath, readCachedEsc } = await startCachedEsc();
    await readCachedEsc();
    expect(valuesOf(await readCachedEsc({ offline: true }))).toEqual(VALUES);
    const before = entryPath();
    expect(await readCachedEsc({ offline: true }, variables)).toMatchObject({ kind: "unavailable" });
    // The cache is not used either if its file has the name that belongs to the other token, environment or backend.
    const { entryPath: other, readCachedEsc: readOther, folder: own } = await startCachedEsc();
    await readOther({}, {});
    const name = other();
    renameSync(before, name);
    expectUnusedCache(await readOther({ offline: true }));
    expect(lstatSync(own).isDirectory()).toBe(true);
  });

  test.each([
    ["if it is from the future", { readAt: Date.now() + 3_600_000 }],
    ["if it is too old", { readAt: Date.now() - 90_000_000 }],
    ["after the session of its credentials has ended", { readAt: Date.now() - 2000, until: Date.now() - 1000 }],
    [
      "if its content has an invalid form",
      { environments: [], layers: [{ source: "dotenv" as const, variables: [] }] },
    ],
  ])("%s", async (_, content) => {
    const { server, entryPath, readCachedEsc } = await startCachedEsc();
    await readCachedEsc();
    writeFileSync(entryPath(), createSealedEntry(server, content));
    expectUnusedCache(await readCachedEsc({ offline: true }));
    await server.close();
    expectUnusedCache(await readCachedEsc());
  });

  test("after the session has ended if providers have made credentials, and is used otherwise", async () => {
    const { server, cacheHome, readCachedEsc } = await startCachedEsc();
    server.provider("login", { key: "minted" });
    server.environment("acme/sophia/minting", {
      definition: "values: {l: {fn::open::login: {}}, environmentVariables: {KEY: '${l.key}'}}",
    });
    const minting = { ESC_ENV: "acme/sophia/minting" };
    await readCachedEsc({}, minting);
    await readCachedEsc();
    expect(listEntries(cacheHome)).toHaveLength(2);
    expect(valuesOf(await readCachedEsc({ offline: true }, minting))).toEqual({ KEY: "minted" });
    const inTwoHours = (variables: Readonly<Record<string, string>>) => {
      const now = Date.now();
      const real = Date.now;
      Date.now = () => now + 7_200_000;
      return readCachedEsc({ offline: true }, variables).finally(() => void (Date.now = real));
    };
    expectUnusedCache(await inTwoHours(minting));
    expect(valuesOf(await inTwoHours({}))).toEqual(VALUES);
  });

  test("if a byte is changed or missing", () => {
    const bytes = encrypt("text", "token", "bound");
    expect(decrypt(bytes, "token", "bound")).toBe("text");
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (bytes[index] ?? 0) ^ 1;
      expect(decrypt(changed, "token", "bound"), `byte ${index}`).toBeUndefined();
      expect(decrypt(bytes.subarray(0, index), "token", "bound"), `${index} bytes`).toBeUndefined();
    }
    expect(decrypt(Buffer.concat([bytes, Buffer.of(0)]), "token", "bound")).toBeUndefined();
    expect(decrypt(bytes, "token", "bound ")).toBeUndefined();
  });

  test("unless it can be decrypted, as a cache of an earlier version can, under the same name", () => {
    const bound = JSON.stringify(["https://api.pulumi.com", ["acme/sophia/dev"], null]);
    const bytes = Buffer.from(
      "c29waGlhLXJ1biAxCpRhUJgw0SAuoHWnCTLghLyfiGzTm1qNXpDAVOFMyyMBJwlB7FomRiaNuzwW0D/mNLYVLJNzzN/yX1efhJddm1cGwONHR42iGW0=",
      "base64",
    );
    expect(decrypt(bytes, "pul-token", bound)).toBe('{"kept":"ä"}');
    expect(entryNameFor(bound, "pul-token")).toBe("007999eb87b9f2723f9cf67827cb48e9-3c0c85b37d41399f7ee38ac73cb23f48");
  });

  test("for a token by OIDC, which causes a warning", async () => {
    const { cacheHome, readCachedEsc } = await startCachedEsc({ oidc: { subjectTokens: ["id-token"] } });
    const cwd = folder({ token: "id-token" });
    chmodSync(join(cwd, "token"), 0o600);
    const variables = { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: join(cwd, "token"), ESC_OIDC_ORG: "acme" };
    const reading = await readCachedEsc({}, variables);
    expect(reading).toMatchObject({
      kind: "read",
      notices: [{ kind: "remark", text: expect.stringContaining("OIDC") }],
    });
    expectNotices(reading);
    expect(listEntries(cacheHome)).toEqual([]);
    expect(valuesOf(await readCachedEsc({ offline: true }, variables))).toContain("(OIDC)");
  });
});

test("the cache reads a token file that is a pipe only once", async () => {
  const { server, readCachedEsc } = await startCachedEsc();
  const pipe = join(folder(), "token");
  execFileSync("mkfifo", ["-m", "600", pipe]);
  const variables = { ESC_TOKEN: "", ESC_TOKEN_FILE: pipe };
  const [first] = await Promise.all([readCachedEsc({}, variables), writePipe(pipe, server.token)]);
  expect(valuesOf(first)).toEqual(VALUES);
  const [second] = await Promise.all([readCachedEsc({ offline: true }, variables), writePipe(pipe, server.token)]);
  expect(valuesOf(second)).toEqual(VALUES);
});

async function writePipe(path: string, text: string): Promise<void> {
  await (await import("node:fs/promises")).writeFile(path, text);
}

describe("the cache is not private, so", () => {
  test.each<[string, (own: string, elsewhere: string) => void]>([
    ["a folder that others may use", (own) => mkdirSync(own, { mode: 0o755 })],
    ["a link to a folder", (own, elsewhere) => symlinkSync(elsewhere, own)],
    ["a file", (own) => writeFileSync(own, "")],
    ...(isRoot
      ? [
          [
            "a folder of another user",
            (own: string) => {
              mkdirSync(own, { mode: 0o700 });
              chownSync(own, 65_534, 65_534);
            },
          ] as [string, (own: string) => void],
        ]
      : []),
  ])("%s in place of its folder is not written, and causes one warning", async (_, make) => {
    const { folder: own, readCachedEsc } = await startCachedEsc();
    const elsewhere = folder();
    chmodSync(elsewhere, 0o700);
    make(own, elsewhere);
    const reading = await readCachedEsc({ cacheFreshMs: 60_000 });
    expect(valuesOf(reading)).toEqual(VALUES);
    expect(reading).toMatchObject({ notices: [{ kind: "remark" }] });
    expectNotices(reading);
    expect(listEntries(own.replace(/\/sophia-run$/, ""))).toEqual([]);
    expect(lstatSync(elsewhere).nlink).toBe(2);
    expect(valuesOf(await readCachedEsc({ offline: true }))).toBeTypeOf("string");
  });

  test("a folder inside one that every user may write is not used, unless the sticky bit is set", async () => {
    const { cacheHome, folder: own, readCachedEsc } = await startCachedEsc();
    chmodSync(cacheHome, 0o777);
    const reading = await readCachedEsc();
    expect(valuesOf(reading)).toEqual(VALUES);
    const command = expect.stringContaining(`chmod o-w ${cacheHome}`) as unknown;
    expect(reading).toMatchObject({ notices: [{ kind: "remark", text: command }] });
    expectNotices(reading);
    expect(readdirSync(own)).toEqual([]);
    chmodSync(cacheHome, 0o1777);
    expect(await readCachedEsc()).toMatchObject({ notices: [] });
    expect(valuesOf(await readCachedEsc({ offline: true }))).toEqual(VALUES);
    chmodSync(cacheHome, 0o777);
    expect(valuesOf(await readCachedEsc({ offline: true }))).toContain(`chmod o-w ${cacheHome}`);
  });

  test.each([
    ["a link", (path: string, elsewhere: string) => symlinkSync(elsewhere, path)],
    ["a named pipe", (path: string) => void execFileSync("mkfifo", ["-m", "600", path])],
    ["a file that others may read", (path: string) => writeFileSync(path, "", { mode: 0o644 })],
  ])("%s in place of its file is not read, and is replaced", async (_, make) => {
    const { entryPath, readCachedEsc } = await startCachedEsc();
    await readCachedEsc();
    const path = entryPath();
    const elsewhere = join(folder({ file: "untouched" }), "file");
    rmSync(path);
    make(path, elsewhere);
    expectUnusedCache(await readCachedEsc({ offline: true }));
    await readCachedEsc();
    expect(lstatSync(path)).toMatchObject({ mode: 0o100_600 });
    expect(readFileSync(elsewhere, "utf8")).toBe("untouched");
    expect(valuesOf(await readCachedEsc({ offline: true }))).toEqual(VALUES);
  });
});

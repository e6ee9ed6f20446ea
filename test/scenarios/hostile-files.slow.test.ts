import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { CONTRACT_VALUES, folder, isStandalone, sophia, unwrapLines } from "../helpers/sophia.ts";

const RUN = ["--", "true"] as const;

/** Makes a folder with a file of the given kind. */
function folderWith(name: string, kind: string): string {
  const cwd = folder();
  const path = join(cwd, name);
  if (kind === "a named pipe without a writer") execFileSync("mkfifo", [path]);
  else symlinkSync("/dev/zero", path);
  return cwd;
}

const TOKEN_FILE = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN_FILE: "x" };
const CERTIFICATES = {
  ESC_ENV: "acme/sophia/dev",
  ESC_TOKEN: "pul-0123456789abcdef",
  SSL_CERT_FILE: "x",
  PULUMI_BACKEND_URL: "https://127.0.0.1:1",
};

/** The readers of a file that is named, with the exit status if it cannot be read. */
const NAMED: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>, number])[] = [
  ["x", ["--dotenv", "x", ...RUN], {}, 125],
  ["x", ["--contract", "x", ...RUN], {}, 125],
  ["x", RUN, TOKEN_FILE, 0],
  // Bun reads that file itself, to its end.
  ...(isStandalone ? [] : [["x", RUN, CERTIFICATES, 0] as const]),
];

/** Of a file that is found, which is never a pipe. */
const FOUND: typeof NAMED = [
  [".env", RUN, {}, 125],
  ["sophia.contract.json", RUN, {}, 125],
];

test.each([
  ["a named pipe without a writer", NAMED, "within 5 s"],
  ["a link to /dev/zero", NAMED, "a device"],
  ["a named pipe without a writer", FOUND, "is not a regular file"],
  ["a link to /dev/zero", FOUND, "is not a regular file"],
])("no reader is blocked by %s: %j", { timeout: 60_000 }, async (kind, readers, words) => {
  const runs = readers.map(async ([name, args, env, status]) => {
    const result = await sophia(args, { cwd: folderWith(name, kind), env: { ...CONTRACT_VALUES, ...env } });
    expect({ args, env, status: result.status, stderr: unwrapLines(result.stderr) }).toEqual({
      args,
      env,
      status,
      stderr: expect.stringContaining(words),
    });
    expect(result.stderr).not.toContain("internal error");
  });
  await Promise.all(runs);
});

describe("the output for a hostile file stays short and has no internal error:", () => {
  const linesOf = (text: string): number => text.split("\n").length - 1;

  test.each([
    ["130,000 malformed lines", ".env", "no assignment\n".repeat(130_000), 0, "129980 more"],
    ["a quoted value of 50 MB", ".env", `A="${"x".repeat(50_000_000)}"\n`, 125, "larger than 4 MiB"],
    ["a quoted value of 3 MB", ".env", `A="${"x\n".repeat(1_500_000)}"\n`, 126, "A"],
    ["quotes that a backslash escapes", ".env", `A="\n${'\\",\n'.repeat(400_000)}`, 125, ".env:1"],
    [
      "a description of 10 MB",
      "sophia.contract.json",
      JSON.stringify({ variables: { A: { description: "x".repeat(10_000_000) } } }),
      125,
      "larger than 8 MiB",
    ],
    [
      "a thousand errors of a contract",
      "sophia.contract.json",
      JSON.stringify({ variables: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`V${n}`, { bad: 1 }])) }),
      125,
      "and 980 more",
    ],
  ] as const)("%s", { timeout: 20_000 }, async (_, name, text, status, words) => {
    const result = await sophia(["--no-contract", ...RUN], { cwd: folder({ [name]: text }) });
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(words);
    expect(result.stderr).not.toContain("internal error");
    expect(linesOf(result.stderr)).toBeLessThan(70);
  });

  test("for 100,000 diagnostics of ESC", async () => {
    const server = await startEscServer();
    onTestFinished(() => server.close());
    const diagnostics = Array.from({ length: 100_000 }, (_, n) => ({
      summary: `remark ${n}`,
      severity: "warning" as const,
    }));
    server.environment("acme/sophia/dev", { values: CONTRACT_VALUES });
    server.failNext("open", { kind: "warnings", diagnostics });
    const env = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
    const result = await sophia(RUN, { env: { ...env, ...CONTRACT_VALUES } });
    expect(result.stderr).toContain("and 99980 more");
    expect(linesOf(result.stderr)).toBeLessThan(30);
  });
});

describe("control characters of a contract are escaped", () => {
  const contract = {
    variables: { A: { label: "Key\u202Edaer", description: "one\u009B31m\u200F", default: "1" } },
    sections: [{ title: "Keys\u200Fend", lines: ["A"] }],
  };
  const cwd = (): string => folder({ "sophia.contract.json": JSON.stringify(contract) });

  test.each([
    [["check"], "Key\\u202edaer"],
    [["check", "--json"], "Key\\\\u202edaer"],
    [["explain", "A"], "one\\u009b31m\\u200f"],
    [["explain", "--json"], "one\\u009b31m\\u200f"],
  ])("in the output of %j", async (args, words) => {
    const { status, stdout, stderr } = await sophia(args, { cwd: cwd() });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain(words);
    expect(stdout).not.toMatch(/[\u0080-\u009F\u200F\u202E]/);
  });
});

test("NODE_DEBUG prints no token in the diagnostics of Node.js", async ({ skip }) => {
  skip(isStandalone, "there is no Node.js that writes any");
  const server = await startEscServer({ token: "pul-sentinel-0123456789abcdef" });
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", { values: CONTRACT_VALUES });
  const env = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url };
  const { status, stderr } = await sophia(RUN, { env: { ...env, NODE_DEBUG: "http,https,net,tls,stream,fs" } });
  expect({ status, sessions: server.sessions }).toEqual({ status: 0, sessions: 1 });
  expect(stderr).toContain("NODE_DEBUG");
  expect(stderr).not.toMatch(/sentinel|authorization/i);
});

test.each([" ", "\t\n", "\u200B\uFEFF", "\u00A0\u2060"])(
  "%j does not meet a requirement of the contract",
  async (value) => {
    const { status, stderr } = await sophia(RUN, { env: { ...CONTRACT_VALUES, QDRANT_API_KEY: value } });
    expect(status).toBe(78);
    expect(stderr).toContain("QDRANT_API_KEY");
  },
);

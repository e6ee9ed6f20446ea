import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONTRACT_VALUES, folder, isStandalone, sophia, unwrapLines } from "../helpers/sophia.ts";

/** The content of a file that sophia-run can read, and the reader of its messages may not. */
const SENTINEL = "pul_0123456789abcdef0123456789abcdef";
const SPACED = `${SENTINEL} ${SENTINEL}\n`;
const ESC = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: "pul-fake", PULUMI_BACKEND_URL: "https://127.0.0.1:1" };
const CHECK = ["check"] as const;
const CONTRACT = "sophia.contract.json";

interface Row {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  /** A link, and the path to which it leads. */
  readonly link?: readonly [name: string, to: string];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly status: number;
  /** A part of the message, which shows that the file was read. */
  readonly message: string;
}

const contractOf = (text: string, message: string): Row => ({
  what: `a contract: ${text}`,
  files: { [CONTRACT]: text },
  status: 125,
  message,
});

const ROWS: readonly Row[] = [
  {
    what: "the base of a found contract",
    files: { [CONTRACT]: '{"extends":"token"}', token: SENTINEL },
    status: 125,
    message: "token:1:1: ",
  },
  {
    what: "the base of a found contract, by a link out of its folder",
    files: { [CONTRACT]: '{"extends":"link"}' },
    link: ["link", "/proc/self/environ"],
    status: 125,
    message: "its folder",
  },
  {
    what: "the base of a named contract",
    files: { "c.json": '{"extends":"/proc/self/environ"}' },
    args: ["check", "--contract", "c.json"],
    env: { A: SENTINEL },
    status: 125,
    message: "/proc/self/environ:1:1: ",
  },
  {
    what: "a contract that is a link",
    files: {},
    link: [CONTRACT, "/proc/self/environ"],
    args: ["check", "--contract", CONTRACT],
    env: { A: SENTINEL },
    status: 125,
    message: ":1:1: ",
  },
  contractOf(SENTINEL, ":1:1: "),
  contractOf(`'${SENTINEL}'`, ":1:1: "),
  contractOf(`"${SENTINEL}"`, ":1:1: "),
  contractOf(`{"${SENTINEL}": 1}`, ":1:2: "),
  contractOf(`{"${SENTINEL}": 1, "${SENTINEL}": 2}`, "has 3 errors"),
  contractOf(`{"variables": {"${SENTINEL}=": {}}}`, ":1:16: "),
  contractOf(`{"variables": {"A": {"format": "${SENTINEL}"}}}`, ":1:32: "),
  contractOf(
    `{"variables": {}, "groups": {"g": {"rule": "one-of", "variables": ["${SENTINEL}", "${SENTINEL}"]}}}`,
    "duplicate entry",
  ),
  contractOf(`{"variables": {"A": {"deprecated": "${SENTINEL}"}}}`, "not declared"),
  contractOf(`{"variables": {"A": {}}, "scopes": {"web": ["${SENTINEL}"]}}`, "not declared"),
  contractOf(`{"variables": {}, "profiles": {"p": {"extends": "${SENTINEL}"}}}`, "no such profile"),
  contractOf(`{"variables": {"A": {"format": {"type": "text", "pattern": "[z-a${SENTINEL}]"}}}}`, "invalid range"),
  contractOf(
    `{"variables": {"A": {"probe": {"url": "https://a.test", "headers": {"proxy-${SENTINEL}": "\${A}\${${SENTINEL}}"}}}}}`,
    "has 2 errors",
  ),
  {
    what: "a .env without assignments",
    files: { ".env": SPACED },
    status: 0,
    message: ".env:1: ",
  },
  {
    what: "a .env with one name twice, in base64",
    files: { ".env": `${SENTINEL}==\n${SENTINEL}=a#b\n` },
    status: 0,
    message: ".env:2: ",
  },
  {
    what: "a .env with a quote that is never closed",
    files: { ".env": `A="${SENTINEL}\n` },
    status: 125,
    message: ".env:1",
  },
  {
    what: "a token file with more than a token",
    files: { token: SPACED },
    env: { ESC_ENV: "acme/sophia/dev", ESC_TOKEN_FILE: "token" },
    status: 0,
    message: "ESC_TOKEN_FILE",
  },
  {
    what: "an ID token's file with more than a token",
    files: { token: SPACED },
    env: { ESC_ENV: "acme/sophia/dev", ESC_OIDC_TOKEN_FILE: "token", ESC_OIDC_ORG: "acme" },
    status: 0,
    message: "ESC_OIDC_TOKEN_FILE",
  },
  // Bun reads that file itself.
  ...(isStandalone
    ? []
    : [
        {
          what: "a certificate file without certificates",
          files: { pem: SPACED },
          env: { ...ESC, SSL_CERT_FILE: "pem" },
          status: 0,
          message: "PEM",
        },
      ]),
  {
    what: "an invalid package.json",
    files: { "package.json": SPACED, ".env.example": "API_KEY=\n" },
    args: ["init"],
    status: 0,
    message: "package.json",
  },
];

test.each(ROWS)("no message quotes $what", async ({ files, link, args = CHECK, env = {}, status, message }) => {
  const cwd = folder(files);
  if (link !== undefined) symlinkSync(link[1], join(cwd, link[0]));
  const result = await sophia(args, { cwd, env: { ...CONTRACT_VALUES, ...env } });
  const text = unwrapLines(result.stdout + result.stderr);
  expect({ status: result.status, text }).toEqual({ status, text: expect.stringContaining(message) });
  expect(text).not.toContain(SENTINEL.slice(0, 12));
});

test("no message quotes a file with the name of the cache or the audit log", async () => {
  const cwd = folder({ log: SPACED });
  const caches = join(cwd, "sophia-run");
  mkdirSync(caches, { mode: 0o700 });
  const env = { ...CONTRACT_VALUES, ...ESC, XDG_CACHE_HOME: cwd };
  const first = await sophia(["check", "--cache"], { cwd, env });
  expect(unwrapLines(first.stdout)).toContain("cached");
  writeFileSync(join(cwd, "log"), SPACED, { mode: 0o600 });
  const logged = await sophia(["--audit-log", "log", "--", "true"], { cwd, env: CONTRACT_VALUES });
  expect(logged).toMatchObject({ status: 0, stdout: "", stderr: "" });
});

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONTRACT_VALUES, folder, isStandalone, sophia, unwrapped } from "../helpers/sophia.ts";

/** Stands for the content of files whose reader may not see it, where sophia-run may. */
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
  /** Shows that the file was looked at. */
  readonly told: string;
}

const contractOf = (text: string, told: string): Row => ({
  what: `a contract: ${text}`,
  files: { [CONTRACT]: text },
  status: 125,
  told,
});

const ROWS: readonly Row[] = [
  {
    what: "what a found contract extends",
    files: { [CONTRACT]: '{"extends":"token"}', token: SENTINEL },
    status: 125,
    told: "token:1:1: unexpected text",
  },
  {
    what: "what a found contract extends by a link out of its folder",
    files: { [CONTRACT]: '{"extends":"link"}' },
    link: ["link", "/proc/self/environ"],
    status: 125,
    told: "outside of its folder",
  },
  {
    what: "what a named contract extends",
    files: { "c.json": '{"extends":"/proc/self/environ"}' },
    args: ["check", "--contract", "c.json"],
    env: { A: SENTINEL },
    status: 125,
    told: "/proc/self/environ:1:1: unexpected text",
  },
  {
    what: "a contract that is a link",
    files: {},
    link: [CONTRACT, "/proc/self/environ"],
    args: ["check", "--contract", CONTRACT],
    env: { A: SENTINEL },
    status: 125,
    told: "unexpected text",
  },
  contractOf(SENTINEL, ":1:1: unexpected text"),
  contractOf(`'${SENTINEL}'`, ":1:1: unexpected text"),
  contractOf(`"${SENTINEL}"`, ":1:1: a string is not allowed here"),
  contractOf(`{"${SENTINEL}": 1}`, ":1:2: unknown key"),
  contractOf(`{"${SENTINEL}": 1, "${SENTINEL}": 2}`, "has 3 errors"),
  contractOf(`{"variables": {"${SENTINEL}=": {}}}`, "this is not a valid name"),
  contractOf(`{"variables": {"A": {"format": "${SENTINEL}"}}}`, "unknown value"),
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
    what: "a .env with lines that are none",
    files: { ".env": SPACED },
    status: 0,
    told: ".env:1: not of the form NAME=value, ignored",
  },
  {
    what: "a .env with one name twice, in base64",
    files: { ".env": `${SENTINEL}==\n${SENTINEL}=a#b\n` },
    status: 0,
    told: ".env:2: this name is set before",
  },
  {
    what: "a .env with a quote that is never closed",
    files: { ".env": `A="${SENTINEL}\n` },
    status: 125,
    told: "quote that is never closed",
  },
  {
    what: "a token file with more than a token",
    files: { token: SPACED },
    env: { ESC_ENV: "acme/sophia/dev", ESC_TOKEN_FILE: "token" },
    status: 0,
    told: "ESC_TOKEN_FILE",
  },
  {
    what: "an ID token's file with more than a token",
    files: { token: SPACED },
    env: { ESC_ENV: "acme/sophia/dev", ESC_OIDC_TOKEN_FILE: "token", ESC_OIDC_ORG: "acme" },
    status: 0,
    told: "ESC_OIDC_TOKEN_FILE",
  },
  // Bun reads that file itself.
  ...(isStandalone
    ? []
    : [
        {
          what: "a file of certificates with none in it",
          files: { pem: SPACED },
          env: { ...ESC, SSL_CERT_FILE: "pem" },
          status: 0,
          told: "contains no PEM certificate",
        },
      ]),
  {
    what: "a package.json that is none",
    files: { "package.json": SPACED, ".env.example": "API_KEY=\n" },
    args: ["init"],
    status: 0,
    told: "package.json",
  },
];

test.each(ROWS)("no message quotes $what", async ({ files, link, args = CHECK, env = {}, status, told }) => {
  const cwd = folder(files);
  if (link !== undefined) symlinkSync(link[1], join(cwd, link[0]));
  const ended = await sophia(args, { cwd, env: { ...CONTRACT_VALUES, ...env } });
  const text = unwrapped(ended.stdout + ended.stderr);
  expect({ status: ended.status, text }).toEqual({ status, text: expect.stringContaining(told) });
  expect(text).not.toContain(SENTINEL.slice(0, 12));
});

test("no message quotes a file in the place of the cache or of the audit log", async () => {
  const cwd = folder({ log: SPACED });
  const caches = join(cwd, "sophia-run");
  mkdirSync(caches, { mode: 0o700 });
  const env = { ...CONTRACT_VALUES, ...ESC, XDG_CACHE_HOME: cwd };
  const first = await sophia(["check", "--cache"], { cwd, env });
  expect(unwrapped(first.stdout)).toContain("--cache does not serve: nothing is kept");
  writeFileSync(join(cwd, "log"), SPACED, { mode: 0o600 });
  const logged = await sophia(["--audit-log", "log", "--", "true"], { cwd, env: CONTRACT_VALUES });
  expect(logged).toMatchObject({ status: 0, stdout: "", stderr: "" });
});

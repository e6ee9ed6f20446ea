/**
 * A start from the image must be like a start without it. Command lines have the same output with the released executable, with an
 * executable that loads all modules itself, and with the executable that checks its memory.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startUpstream } from "../../test/broker/upstream.ts";
import { type EscServer, secret, startEscServer } from "../../test/esc-server/index.ts";
import { useCertificates } from "../../test/helpers/certificates.ts";
import { notLinux, skipBecause } from "../../test/helpers/skip.ts";
import { folder } from "../../test/helpers/sophia.ts";
import {
  checkedExecutable,
  executable,
  imagelessExecutable,
  noExecutable,
  noTestExecutables,
} from "../../test/helpers/executables.ts";
import { type ProcessResult, startProcess } from "../../test/helpers/start-process.ts";

skipBecause(notLinux ?? noExecutable ?? noTestExecutables);

const ENVIRONMENT = "acme/app/dev";
const TOKEN = "s3cr3t-v4lue-0a1b2c3d";
const CONTRACT = {
  variables: {
    SERVICE_TOKEN: { required: true, label: "Service töken" },
    PORT: { secret: false, format: "port", default: "8080" },
    MODE: { secret: false, format: { type: "text", pattern: "(?:debug|prod)" } },
    OPENAI_API_KEY: {},
  },
};
const FILES = {
  "sophia.contract.json": JSON.stringify(CONTRACT),
  ".env": `SERVICE_TOKEN="${TOKEN}"\nMODE=prod\nGREETING='grüße 🙂'\n`,
  "code.js": "export const url = process.env.SERVICE_URL;\nconst { PORT = 1 } = process.env;\n",
  "code.py": 'import os\nos.environ["SERVICE_TOKEN"]\nos.getenv("MODE", "debug")\n',
};

const REQUEST_SCRIPT = `
const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
const headers = { authorization: "Bearer " + OPENAI_API_KEY };
const answer = await fetch(OPENAI_BASE_URL + "/models", { method: "POST", headers, body: "{}" });
console.log(answer.status, answer.headers.get("x-answer"), await answer.text());
process.exit(7);
`;

let server: EscServer;
const certificates = useCertificates([], async ({ valid }) => {
  server = await startEscServer({ tls: valid });
  server.environment(ENVIRONMENT, { values: { SERVICE_TOKEN: secret(`${TOKEN}-of-esc`), MODE: "debug" } });
  return () => server.close();
});

/** Runs each executable in the same folder, which has only these files, and returns the results. */
async function runAll(
  args: readonly string[],
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<readonly ProcessResult[]> {
  const results = [];
  const cwd = folder();
  for (const program of [executable, imagelessExecutable, checkedExecutable]) {
    rmSync(cwd, { recursive: true });
    mkdirSync(cwd);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text, { mode: 0o600 });
    const { finished } = startProcess([program, ...args], {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...env },
    });
    results.push(await finished);
  }
  return results;
}

/** Runs each executable as {@link runAll} does, expects the same result from all of them, and returns it. */
async function runAndExpectSame(...given: Parameters<typeof runAll>): Promise<{ status: number | null; text: string }> {
  const [first, ...others] = await runAll(...given);
  for (const otherResult of others) expect(otherResult).toStrictEqual(first);
  return { status: first?.status ?? null, text: `${first?.stdout}${first?.stderr}` };
}

const COMMAND_LINES: readonly (readonly [
  line: string,
  status: number,
  fragment: string,
  env?: Readonly<Record<string, string>>,
])[] = [
  ["help", 0, "Usage: sophia-run"],
  ["help explain", 0, "sophia-run explain"],
  ["check", 0, "Service töken"],
  ["check --json", 0, '"SERVICE_TOKEN"'],
  ["check", 1, "PORT", { PORT: "no port" }],
  ["check", 1, "MODE", { MODE: "other" }],
  ["explain", 0, ".env:1"],
  ["explain --all", 0, "HOME"],
  ["explain PORT", 0, "default"],
  ["export --format json --include SERVICE_TOKEN", 0, TOKEN],
  ["export --format shell --include GREETING", 0, "grüße"],
  ["get GREETING", 0, "grüße 🙂"],
  ["docs", 0, "wrote SECRETS.md"],
  ["scan code.js .env", 1, ".env"],
  ["completion bash", 0, "complete"],
  ["init", 0, "SERVICE_URL"],
  ["-- printenv GREETING PORT", 0, "grüße 🙂\n8080\n"],
  ["--mode spawn -- printenv MODE", 0, "prod\n"],
  ["--redact -- printenv SERVICE_TOKEN MODE", 0, "***\nprod\n"],
  ["--redact --mode spawn -- sh -c exit\t7", 7, ""],
  ["--only-declared -- env -u PATH -u HOME env", 0, "PORT=8080"],
  ["-- no-such-program", 127, "no-such-program"],
  ["-- /", 126, "/"],
  ["-- true", 78, "PORT", { PORT: "no port" }],
  ["--no-such-option -- true", 125, "--no-such-option"],
  ["chekc", 127, "did you mean check?"],
  ["--dotenv missing.env -- true", 125, "missing.env"],
  ["--contract code.js -- true", 125, "code.js"],
  ["--timeout never -- true", 125, "never"],
];

it.for(COMMAND_LINES)(
  "the executable does the same with and without an image: %s ends with %i",
  async ([line, status, fragment, env]) => {
    const args = line.split(" ").map((word) => word.replaceAll("\t", " "));
    const { "sophia.contract.json": contract, ...others } = FILES;
    // `init` writes the contract.
    const files = line === "init" ? others : { ...others, "sophia.contract.json": contract };
    const result = await runAndExpectSame(args, files, env);
    expect(result).toEqual({ status, text: expect.stringContaining(fragment) });
  },
);

it.each(["check", "explain", "get SERVICE_TOKEN", "-- printenv SERVICE_TOKEN", "--redact -- printenv SERVICE_TOKEN"])(
  "the executable does the same with and without an image: %s, with ESC over TLS",
  async (line) => {
    const env = {
      ESC_ENV: ENVIRONMENT,
      ESC_TOKEN: server.token,
      PULUMI_BACKEND_URL: server.url,
    };
    const before = server.calls.length;
    const { status, text } = await runAndExpectSame(line.split(" "), FILES, {
      ...env,
      SSL_CERT_FILE: certificates().caFile,
    });
    expect({ status, text }).toEqual({ status: 0, text: expect.stringMatching(/-of-esc|ESC|\*\*\*/) });
    const answered = server.calls.length;
    expect(answered).toBeGreaterThan(before);
    // The client sends nothing to a server whose certificate it does not trust.
    const refused = await runAndExpectSame(line.split(" "), FILES, env);
    expect(refused).toEqual({ status: 0, text: expect.stringContaining("UNABLE_TO_VERIFY_LEAF_SIGNATURE") });
    expect(server.calls.length).toBe(answered);
  },
);

it("the executable does the same with and without an image: a request through the broker", async () => {
  const upstream = await startUpstream((request, response) => {
    request.resume().on("end", () => response.writeHead(201, { "x-answer": "1" }).end(`to ${request.url}`));
  });
  const env = { OPENAI_API_KEY: "sk-real-0123456789abcdefghij", OPENAI_BASE_URL: `${upstream.origin}/v1` };
  const { status, text } = await runAndExpectSame(
    ["--broker", "--no-contract", "--", "node", "ask.mjs"],
    { "ask.mjs": REQUEST_SCRIPT },
    env,
  );
  expect({ status, text }).toEqual({ status: 7, text: "201 1 to /v1/models\n" });
  expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual(
    Array.from({ length: 3 }, () => `Bearer ${env.OPENAI_API_KEY}`),
  );
});

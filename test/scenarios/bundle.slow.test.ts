import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { escVariables } from "../commands/sophia-environment.ts";
import { startEscServer } from "../esc-server/index.ts";
import { noAddon } from "../helpers/skip.ts";
import { supportsExecMode, CONTRACT_VALUES, copyPackage, folder, isStandalone } from "../helpers/sophia.ts";
import { runProgram, runSophia } from "../esc/run-program.ts";

const ROOT = join(import.meta.dirname, "../..");
const chunks = readdirSync(join(ROOT, "dist"))
  .filter((name) => name.endsWith(".cjs"))
  .map((name) => ({ name, text: readFileSync(join(ROOT, "dist", name), "utf8") }));

test.each([
  ["the SDK's client, in a chunk of its own", "/environments/{orgName}/{projectName}/{envName}/open", 1],
  ["no axios", "AxiosError", 0],
  ["no proxy-from-env", "NO_PROXY is not supported", 0],
  ["none of follow-redirects", "maxRedirects", 0],
  ["no form-data", "form-data", 0],
  ["no js-yaml", "YAMLException", 0],
  ["no reading of other tools' credentials", ".esc/credentials", 0],
  ["no variable by which yaml prints what it reads", "LOG_TOKENS", 0],
  [
    "the path of Pulumi's credentials alone, in explain, which names the file and does not open it",
    "credentials.json",
    1,
  ],
])("the bundle holds %s (%s)", (_, text, expected) => {
  expect(chunks.filter((chunk) => chunk.text.includes(text)).map(({ name }) => name)).toHaveLength(expected);
});

test("a start without ESC loads no network modules", async ({ skip }) => {
  skip(isStandalone, "NODE_OPTIONS has no effect on the stand-alone executable");
  const cwd = folder();
  const preload = join(cwd, "preload.cjs");
  const list = join(cwd, "list.json");
  writeFileSync(
    preload,
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, JSON.stringify(process.moduleLoadList)));`,
  );
  const options = ["--no-contract", "--mode", "spawn"];
  const finished = await runSophia(
    [...options, "--", "true"],
    { NODE_OPTIONS: `--no-addons --require ${preload}` },
    cwd,
  );
  expect(finished.status).toBe(0);
  const loaded: unknown = JSON.parse(readFileSync(list, "utf8"));
  expect(loaded).toContain("NativeModule fs");
  for (const name of ["http", "https", "tls", "crypto", "internal/fs/promises"]) {
    expect(loaded).not.toContain(`NativeModule ${name}`);
  }
});

const ORDINARY = `A=1
NODE_ENV=development
PORT=3000
APP_URL=http://localhost:3000
DATABASE_URL=postgres://app:x@localhost:5432/app
SMTP_HOST=smtp.example.test
SESSION_SECRET=x
STRIPE_SECRET_KEY=x
LOG_LEVEL=debug
`;

/** A way to start, its arguments, and the files of dist/ that it needs besides the built-in contract. */
const starts: readonly (readonly [
  string,
  {
    mode: string;
    files: readonly string[];
    given?: Readonly<Record<string, string>>;
    env?: Readonly<Record<string, string>>;
    esc?: boolean;
  },
])[] = [
  ["becoming the program", { mode: "exec", files: [] }],
  ["an ordinary .env", { mode: "exec", files: [], given: { ".env": ORDINARY } }],
  [
    "a name that may run code",
    {
      mode: "exec",
      files: ["risks", "looks-secret", "url", "rolldown-runtime"],
      given: { ".env": "A=1\nPAGER=less\n" },
    },
  ],
  [
    "a contract",
    {
      mode: "exec",
      files: ["load", "url", "rolldown-runtime"],
      given: { "sophia.contract.json": '{"variables":{"A":{"secret":false}}}' },
    },
  ],
  [
    "masking in GitHub Actions",
    {
      mode: "spawn",
      files: [
        "surroundings",
        "names",
        "masking",
        "looks-secret",
        "stderr",
        "spawn",
        "monitor",
        "start-error",
        "rolldown-runtime",
      ],
      env: { GITHUB_ACTIONS: "true" },
    },
  ],
  ["a quoted value", { mode: "exec", files: ["dotenv", "rolldown-runtime"], given: { ".env": 'A="1"' } }],
  ["reading ESC", { mode: "exec", files: ["access", "esc", "url", "network", "rolldown-runtime"], esc: true }],
  ["starting the program by the monitor", { mode: "spawn", files: ["monitor", "linux-", "rolldown-runtime"] }],
  ["starting the program as its parent process", { mode: "spawn", files: ["monitor", "spawn", "rolldown-runtime"] }],
];

test.for(starts)(
  "%s needs no other file of the package",
  async ([, { mode, files, given = {}, env = {}, esc = false }], { skip }) => {
    skip(mode === "exec" && !supportsExecMode, "needs the addon, or Node.js 22.15");
    skip(mode === "spawn" && noAddon !== undefined, noAddon);
    await using server = await startEscServer();
    server.environment("demo-org/sophia/dev", { values: CONTRACT_VALUES });
    const path = copyPackage();
    // This test's own caller may have left descriptors open.
    const needed = ["program", "inherited", "sophia.contract.json" in given ? "load" : "built-in-", ...files];
    const names = readdirSync(join(path, "dist")).filter((name) => name.endsWith(".cjs"));
    const others = names.filter((name) => !needed.some((file) => name.startsWith(file)));
    expect(others.length).toBeGreaterThan(10);
    for (const name of others) rmSync(join(path, "dist", name));
    const entry = join(path, "bin/sophia-run.cjs");
    const variables = esc ? escVariables(server, "demo-org/sophia/dev") : CONTRACT_VALUES;
    const command = [process.execPath, entry, "--mode", mode, "--", "printenv", "A"] as const;
    const finished = await runProgram(command, { ...variables, ...env }, folder({ ".env": "A=1", ...given }));
    expect(finished).toStrictEqual({ status: 0, signal: null, stdout: "1\n", stderr: "" });
  },
);

test.for([
  ["of a command", "stderr-", {}, "no-such-command", 127, "no-such-command: command not found"],
  [
    "of a contract",
    "contract-file-failure-",
    { "sophia.contract.json": "{" },
    "true",
    125,
    "the contract CWD/sophia.contract.json cannot be used",
  ],
] as const)(
  "a failure %s is reported with its status even if the module with its wording cannot be loaded",
  async ([, words, files, program, status, message], { skip }) => {
    skip(isStandalone, "it is one file");
    const path = copyPackage();
    const names = readdirSync(join(path, "dist")).filter((name) => name.startsWith(words));
    expect(names).toHaveLength(1);
    for (const name of names) rmSync(join(path, "dist", name));
    const command = [process.execPath, join(path, "bin/sophia-run.cjs"), "--", program] as const;
    const cwd = folder(files);
    const finished = await runProgram(command, CONTRACT_VALUES, cwd);
    expect(finished).toMatchObject({ status, stderr: `sophia-run: ${message.replace("CWD", cwd)}\n` });
  },
);

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { notPreloadable, skipBecause } from "../helpers/skip.ts";
import { folder, sophia, sophiaRun, unwrapLines } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

/** Long enough that its masked end is not the whole; the tail is what masking shows, so only the head is searched. */
const SENTINEL = "hQ7-sentinel-Zk2";
const secretOf = (name: string): string => `${SENTINEL}-${name}-0123`;

const SECRETS = {
  PULUMI_ACCESS_TOKEN: secretOf("pulumi"),
  QDRANT_URL: `https://${secretOf("url")}.test`,
  QDRANT_API_KEY: secretOf("qdrant"),
  GITHUB_PAT: secretOf("github"),
  OPENAI_API_KEY: secretOf("openai"),
};

async function startEsc(values: Readonly<Record<string, string>> = SECRETS) {
  const server = await startEscServer({ token: `pul-${secretOf("token")}` });
  onTestFinished(() => server.close());
  server.environment("acme/sophia/dev", { values, files: { KEY_FILE: secretOf("file") } });
  return { server, env: { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url } };
}

/** Fails when a sentinel stands in a text or in a file below a folder. */
function expectNone(texts: readonly string[], folders: readonly string[] = []): void {
  expect(texts.length).toBeGreaterThan(0);
  for (const text of texts) expect(text).not.toContain(SENTINEL);
  for (const path of folders) {
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (statSync(file).isFile()) expect(readFileSync(file, "latin1"), file).not.toContain(SENTINEL);
    }
  }
}

/** A token in the place of a name or a path. */
const MISPLACED = `pul-${"0".repeat(40)}${secretOf("token")}`;

type Row = readonly [
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  status: number,
  /** What the output shows once the row has got where it can leak: without it a crash would pass, too. */
  reached: string,
];

describe("no value and no token is printed", () => {
  test.each<Row>([
    [["check"], {}, 0, "All checks passed"],
    [["check", "--json"], {}, 0, '"name": "QDRANT_API_KEY"'],
    [["check", "--overdue"], {}, 0, "Age of Secrets"],
    // The services are not there, but for that of Pulumi, which does not know the token.
    [["check", "--live"], { HTTPS_PROXY: "http://127.0.0.1:1" }, 1, "Not known: the host of QDRANT_URL"],
    [
      ["check", "--live", "--json"],
      { DATABASE_URL: `postgres://u:${secretOf("db")}@127.0.0.1:1/x`, HTTPS_PROXY: "http://127.0.0.1:1" },
      1,
      '"live"',
    ],
    [["audit"], {}, 0, "Secrets in ESC"],
    [["audit", "--json"], { ESC_ADMIN_TOKEN: `pul-${secretOf("token")}` }, 0, '"name": "QDRANT_API_KEY"'],
    [["import", ".env", "--yes"], { ESC_ADMIN_TOKEN: `pul-${secretOf("token")}` }, 0, "written and read back"],
    [["set", "GITHUB_PAT"], { ESC_ADMIN_TOKEN: `pul-${secretOf("token")}` }, 125, "no value for GITHUB_PAT"],
    [["import", ".env", "--yes"], {}, 125, "ESC_ADMIN_TOKEN is not set"],
    [
      ["rotate", "GITHUB_PAT", "--generate", "--yes"],
      { ESC_ADMIN_TOKEN: `pul-${secretOf("token")}` },
      0,
      "GITHUB_PAT has a new value",
    ],
    [["rotate", "GITHUB_PAT", "--yes"], { ESC_ADMIN_TOKEN: `pul-${secretOf("token")}` }, 125, "no new value"],
    [["explain"], {}, 0, "KEY_FILE"],
    [["get", "QDRANT_API_KEY"], { CLAUDECODE: "1" }, 125, "to Claude Code"],
    [["get", "QDRANT_API_KEY", "--json"], { AGENT: "amp" }, 125, "to a coding agent"],
    [["get", "QDRANT_API_KEY", "--exclude", "QDRANT_*"], {}, 78, "QDRANT_API_KEY was not printed"],
    [["get", "FILE_SECRET", "--only-declared"], {}, 1, "FILE_SECRET is withheld"],
    [["get", "QDRANT_API_KEY", "--audit-log", "."], {}, 125, "the audit log"],
    [["--", "echo"], { OPENAI_API_KEY: `op://${secretOf("vault")}/item/field` }, 78, "is a reference (op://)"],
    [["explain", "OPENAI_API_KEY"], { OPENAI_API_KEY: `op://${secretOf("vault")}/item/field` }, 0, "op run"],
    [["scan"], { OPENAI_API_KEY: secretOf("dotenv") }, 1, ".env:1: OPENAI_API_KEY"],
    [["scan", "--json"], { OPENAI_API_KEY: secretOf("dotenv") }, 1, '"variable": "OPENAI_API_KEY"'],
    [["--verbose", "--", "echo", "started"], {}, 0, "started"],
    [["--cache", "--", "echo", "started"], {}, 0, "started"],
    [["--cache-fresh", "1h", "--verbose", "--", "echo", "started"], {}, 0, "6 variables"],
    [["request", "--reason", "x"], {}, 0, "opens without an approval"],
    [["request", "--reason", MISPLACED], {}, 125, "--reason contains a token"],
    [["check", "--offline"], {}, 1, "cannot be read with --offline"],
    [["--", "true"], { QDRANT_URL: `https://${secretOf("other")}.test` }, 0, "QDRANT_URL"],
    [["--", "no-such-command"], {}, 127, "no-such-command"],
    // Looked for once ESC was read, since it could have set PATH.
    [["--prefer", "esc", "--", "no-such-command"], {}, 127, "no-such-command"],
    [["psql", `postgres://u:${secretOf("argument")}@h`], { PATH: "/nowhere" }, 127, "psql: command not found"],
    [[`postgres://u:${secretOf("argument")}@h`], {}, 127, "postgres://…"],
    [[`PASSWORD=${secretOf("argument")}`, "psql"], {}, 127, "PASSWORD=…"],
    [[`My Secret=postgres://u:${secretOf("argument")}@h`], {}, 127, "My Secret=…: no such file or directory"],
    [["--", `u:${secretOf("argument")}@h/db`], {}, 127, "u:…: no such file or directory"],
    [["--", `psql -W ${secretOf("argument")}`], {}, 127, "psql …: command not found"],
    [
      ["--prefer", "esc", "--contract", "unmet.json", "--", `A B=${secretOf("argument")}`],
      {},
      78,
      "A B=… was not started",
    ],
    [["check", `postgres://u:${secretOf("argument")}@h`], {}, 125, "check takes no arguments"],
    [["--mode", "exec", "--kill-after", "1s", "--", "true"], {}, 125, "--mode exec"],
    [["--contract", "no-such-file", "--", "true"], {}, 125, "no-such-file"],
    [["--", "true"], { QDRANT_URL_FILE: secretOf("misplaced") }, 125, "the file in QDRANT_URL_FILE does not exist"],
    [["--verbose", "--", "echo", "started"], { OPENAI_API_KEY_FILE: ".env" }, 0, "started"],
    [["explain", "OPENAI_API_KEY"], { OPENAI_API_KEY_FILE: ".env" }, 0, "OPENAI_API_KEY_FILE: .env"],
    [["check", "--json"], { SOPHIA_SECRETS_DIR: ".", TAVILY_API_KEY_FILE: ".env" }, 0, '"file": ".env"'],
    [["--timeout", "nonsense", "--", "true"], {}, 125, "nonsense"],
    [["--", "true"], { ESC_ENV: "a/b/c/d" }, 125, "a/b/c/d"],
    [
      ["--", "true"],
      { OPENAI_API_KEY: secretOf("openai"), PULUMI_BACKEND_URL: "http://127.0.0.1:1" },
      78,
      "ECONNREFUSED",
    ],
    [["--", "true"], { ESC_TOKEN: `pul-${secretOf("token")} and more` }, 125, "ESC_TOKEN contains a space"],
    [["check"], { ESC_ENV: MISPLACED, ESC_TOKEN: "" }, 125, "ESC_ENV contains an access token"],
    [["explain", "--json"], { ESC_ENV: MISPLACED, ESC_TOKEN: "" }, 125, "ESC_ENV contains an access token"],
    [["check"], { ESC_TOKEN: "", ESC_TOKEN_FILE: MISPLACED }, 125, "ESC_TOKEN_FILE contains a token"],
  ])("by %j with %j", async (args, variables, status, reached) => {
    const { env } = await startEsc();
    const cwd = folder({
      ".env": `FILE_SECRET=${secretOf("dotenv")}\nCUT=${secretOf("cut")}#x\n`,
      "unmet.json": '{"variables":{"NONE":{"required":true}}}',
    });
    const temporary = folder();
    // The cache is in the same folder.
    const result = await sophia(args, {
      cwd,
      env: { ...env, TMPDIR: temporary, XDG_CACHE_HOME: temporary, ...variables },
    });
    expect(result).toMatchObject({ status, signal: null });
    expect(result.stdout + result.stderr).toContain(reached);
    expect(result.stderr).not.toContain("internal error");
    expectNone([result.stdout, result.stderr], [temporary]);
  });

  test("at a restart by --watch, at a restart that the contract forbids, and for a service that refuses", async () => {
    const { server, env } = await startEsc();
    const program =
      'process.stdout.write("run "); process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 60_000);';
    const started = startProcess(
      [...sophiaRun, "--watch", "--watch-every", "1s", "--verbose", "--", process.execPath, "-e", program],
      { cwd: folder(), env: { ...env, PATH: process.env["PATH"] ?? "" } },
    );
    await started.waitForStdout(/run /);
    server.environment("acme/sophia/dev", { values: { ...SECRETS, QDRANT_API_KEY: secretOf("changed") } });
    await started.waitForStdout(/run run /);
    const reads = server.count("read");
    server.environment("acme/sophia/dev", { values: { ...SECRETS, QDRANT_API_KEY: "" } });
    await server.waitFor("read", reads + 1);
    server.failAlways("any", 401);
    // The first one was reported before the second.
    await server.waitFor("any", server.count("any") + 2);
    process.kill(started.pid, "SIGTERM");
    const result = await started.finished;
    for (const word of ["QDRANT_API_KEY changed in ESC", "the contract is not met", "the program continues"]) {
      expect(unwrapLines(result.stderr)).toContain(word);
    }
    expectNone([result.stdout, result.stderr]);
  });

  test("of a new token for the launcher, which only gh gets", async () => {
    const { server, env } = await startEsc();
    const owner = { kind: "organization", organization: "acme" } as const;
    const { value } = server.addToken({ owner, access: "open", name: "ci", value: `pul-${secretOf("old")}` });
    const [temporary, bin, stored] = [folder(), folder(), folder()];
    // Lists what it was given, and says what a token must not come out by: its arguments and its environment.
    const gh = `#!/bin/sh
env; echo "$*"; env >&2
[ "$2" = set ] && cat >> "${stored}/values" && echo x > "${stored}/$5" && exit
[ -e "${stored}/$4" ] && echo ESC_TOKEN
exit 0
`;
    writeFileSync(join(bin, "gh"), gh, { mode: 0o755 });
    const result = await sophia(["rotate", "--token", "--yes"], {
      env: {
        ...env,
        ESC_TOKEN: value,
        ESC_ADMIN_TOKEN: server.token,
        PATH: `${bin}:${process.env["PATH"] ?? ""}`,
        TMPDIR: temporary,
      },
    });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    const [made = ""] = /pul-\w{40}/.exec(readFileSync(join(stored, "values"), "latin1")) ?? [];
    expect(made).not.toBe("");
    expect(result.stdout).not.toContain(made);
    expectNone([result.stdout], [temporary]);
  });

  test("for a contract that is not met, whatever is wrong with the values", async () => {
    const { env } = await startEsc({ ...SECRETS, QDRANT_API_KEY: "", GITHUB_PAT: "" });
    const { status, stdout, stderr } = await sophia(["--", "true"], { env });
    expect({ status, stdout }).toEqual({ status: 78, stdout: "" });
    expect(stderr).toContain("QDRANT_API_KEY");
    expectNone([stderr]);
  });
});

/** Ways for an error that no code of ours expects to come up, as the script that throws `error`. */
const BUGS = {
  "is thrown": "throw error;",
  "is thrown where nobody awaits it": "queueMicrotask(() => { throw error; });",
  "rejects a promise that nobody awaits": "Promise.reject(error);",
};

describe("an internal error shows no value and no token", () => {
  skipBecause(notPreloadable);

  test.each(Object.entries(BUGS))("when it %s", async (_, bug) => {
    const { env } = await startEsc();
    // Every variable passes through a Map by its name on its way from the source to the program.
    const cwd = folder({
      ".env": "PLANTED=1",
      "bug.cjs": `
        const { set } = Map.prototype;
        Map.prototype.set = function (key, value) {
          if (key === "PLANTED") {
            Map.prototype.set = set;
            const error = Object.assign(new RangeError("${secretOf("message")}"), { value: process.env });
            ${bug}
          }
          return set.call(this, key, value);
        };`,
    });
    const { status, stdout, stderr } = await sophia(["--", "true"], {
      cwd,
      env: { ...env, ...SECRETS, NODE_OPTIONS: `--require ${join(cwd, "bug.cjs")}` },
    });
    expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
    expect(stderr).toContain("internal error (RangeError)");
    expectNone([stderr]);
  });
});

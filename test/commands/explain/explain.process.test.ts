import { describe, expect, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { CONTRACT_VALUES, folder, sophia, type ProcessResult, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { addSophiaEnvironment, escVariables, SENTINEL, sentinelOf } from "../sophia-environment.ts";

/** The rows of one variable, by their first word. */
function rowsOf({ stdout }: ProcessResult, name: string): string[] {
  const block = stdout.split("\n\n").find((text) => new RegExp(`^\\S+ ${name}( |\\n)`).test(text)) ?? "";
  return block
    .split("\n")
    .slice(1)
    .map((line) => line.trim().replaceAll(/\s+/g, " "));
}

const CONTRACT = JSON.stringify({
  variables: {
    API_URL: { required: true, format: "url", description: "Where the API is.", aliases: ["API_ENDPOINT"] },
    LOG_LEVEL: { default: "info" },
    OLD_KEY: { deprecated: "NEW_KEY" },
    NEW_KEY: {},
    USER_NAME: {},
    USER_KEY: { required: { when: "USER_NAME" } },
  },
  groups: { keys: { label: "Keys", rule: "one-of", variables: ["NEW_KEY", "OLD_KEY"] } },
});

describe("explain shows sources:", () => {
  test("which value of ESC, its imports, the environment and files is used, and which is hidden, without a value", async () => {
    await using server = await startEscServer();
    addSophiaEnvironment(server);
    const cwd = folder({
      ".env": `# comment\nQDRANT_URL=${sentinelOf("url")}\nGITHUB_PAT=${sentinelOf("github_pat")}\n`,
    });
    const env = { ...escVariables(server), OPENAI_API_KEY: sentinelOf("mine"), GITHUB_PAT: sentinelOf("github_pat") };
    const result = await sophia(["explain"], { cwd, env });

    expect(result.status).toBe(0);
    expect(result.stdout).toContain("ESC: acme/sophia/dev, with ESC_TOKEN\n");
    expect(rowsOf(result, "QDRANT_URL")).toEqual([
      "state set, secret",
      "from ESC acme/sophia/dev, imported from sophia/base, line 3",
      "hides .env:2 (a different value)",
      "rule required",
    ]);
    expect(rowsOf(result, "OPENAI_API_KEY")).toContain("hides ESC acme/sophia/dev, line 8 (a different value)");
    expect(rowsOf(result, "GITHUB_PAT")).toEqual([
      "state set, secret",
      "from the process environment",
      "hides ESC acme/sophia/dev, line 7 (the same value)",
      "hides .env:3 (the same value)",
      "rule one of GitHub Token: this one is used",
    ]);
    expect(rowsOf(result, "LOG_LEVEL")).toEqual([
      "state set, not declared",
      "from ESC acme/sophia/dev, imported from sophia/base, line 4",
    ]);
    expect(rowsOf(result, "GOOGLE_APPLICATION_CREDENTIALS")).toContain(
      "from ESC acme/sophia/dev, line 10, passed as a private file",
    );
    expect(result.stdout + result.stderr).not.toContain(SENTINEL);
    expect(result.stdout + result.stderr).not.toContain(server.token);
  });

  test("it shows a pinned version, a value that cannot be a variable, and the credential from a file", async () => {
    await using server = await startEscServer();
    server.environment("acme/sophia/dev", {
      values: { LIST: ["a"], OPENAI_API_KEY: secret(sentinelOf("v1")) },
      tags: ["stable"],
    });
    const cwd = folder({ token: `${server.token}\n` });
    const { ESC_TOKEN: _, ...env } = escVariables(server, "acme/sophia/dev@stable");
    const result = await sophia(["explain", "OPENAI_API_KEY", "LIST"], {
      cwd,
      env: { ...env, ESC_TOKEN_FILE: `${cwd}/token` },
    });
    expect(unwrapLines(result.stdout)).toContain(`ESC: acme/sophia/dev@stable, with ESC_TOKEN_FILE (${cwd}/token)`);
    expect(rowsOf(result, "OPENAI_API_KEY")).toContain("from ESC acme/sophia/dev@stable, line 5");
    expect(rowsOf(result, "LIST").join()).toContain("a list or an object");
  });

  test("it shows the line in an ESC environment that imports itself and others, and what is replaced, without a value", async () => {
    await using server = await startEscServer();
    server.environment("acme/sophia/base", { values: { QDRANT_URL: secret(sentinelOf("base")), A: "a" } });
    server.environment("acme/sophia/dev", { values: { QDRANT_URL: secret(sentinelOf("old")), OLD: "o" } });
    server.environment("acme/sophia/dev", {
      definition: [
        "imports: [sophia/base, sophia/dev@1]",
        "values:",
        "  environmentVariables:",
        "    QDRANT_URL: https://qdrant.example.test",
      ].join("\n"),
      rootName: "dev",
    });
    const result = await sophia(["explain", "QDRANT_URL", "OLD"], { env: escVariables(server) });
    expect(rowsOf(result, "QDRANT_URL")).toEqual(
      expect.arrayContaining([
        "from ESC acme/sophia/dev, line 4",
        "replaces sophia/dev@1, line 3; sophia/base, line 3",
      ]),
    );
    expect(rowsOf(result, "OLD")).toContain("from ESC acme/sophia/dev, imported from sophia/dev@1, line 4");
    const json = await sophia(["explain", "--json"], { env: escVariables(server) });
    expect(json.stdout).toContain('"overrides"');
    for (const { stdout, stderr } of [result, json]) expect(stdout + stderr).not.toContain(SENTINEL);

    server.environment("acme/sophia/dev", { values: { QDRANT_URL: "https://x.test" }, trace: false });
    const untraced = await sophia(["explain", "QDRANT_URL"], { env: escVariables(server) });
    expect(rowsOf(untraced, "QDRANT_URL")).toContain("from ESC acme/sophia/dev");
  });

  test("it says that ESC cannot be read, or that half of its configuration is missing", async () => {
    await using server = await startEscServer();
    const refused = await sophia(["explain", "QDRANT_URL"], {
      env: { ...escVariables(server), ESC_TOKEN: "pul-wrong" },
    });
    expect(refused.status).toBe(0);
    expect(refused.stdout).toMatch(/ESC: acme\/sophia\/dev not read, with ESC_TOKEN: .+/);
    expect(rowsOf(refused, "QDRANT_URL")[0]).toBe("state missing");
    const half = await sophia(["explain", "QDRANT_URL"], { env: { ESC_ENV: "sophia/dev" } });
    expect(half.stdout).toContain("ESC: sophia/dev not read: no credential is set");
    expect((await sophia(["explain"])).stdout).toContain("ESC: not configured");
  });
});

describe("explain shows the contract:", () => {
  test("it prints rules, defaults, aliases, deprecation and formats", async () => {
    const cwd = folder({
      "sophia.contract.json": CONTRACT,
      ".env": `API_ENDPOINT=${sentinelOf("no-url")}\nOLD_KEY=${sentinelOf("old")}\nUSER_NAME=joe\n`,
    });
    const names = ["API_URL", "API_ENDPOINT", "LOG_LEVEL", "OLD_KEY", "NEW_KEY", "USER_KEY"];
    const result = await sophia(["explain", ...names], { cwd });
    expect(rowsOf(result, "API_URL")).toEqual(
      expect.arrayContaining([
        "state set, secret, not valid",
        "purpose Where the API is.",
        "from .env:1, as API_ENDPOINT",
        "rule required",
        "aliases API_ENDPOINT",
      ]),
    );
    expect(rowsOf(result, "API_URL").join()).toContain("must be a URL");
    expect(rowsOf(result, "API_ENDPOINT")).toContain("alias of API_URL");
    expect(rowsOf(result, "LOG_LEVEL")).toContain("from the contract's default");
    expect(rowsOf(result, "OLD_KEY")).toEqual(
      expect.arrayContaining(["advice deprecated; use NEW_KEY", "rule one of Keys: this one is used"]),
    );
    expect(rowsOf(result, "NEW_KEY")).toEqual([
      "state not set",
      "rule one of Keys: OLD_KEY is used",
      "rotate every 90 days",
    ]);
    expect(rowsOf(result, "USER_KEY")).toEqual(
      expect.arrayContaining(["state missing", "rule required when USER_NAME is set: not met"]),
    );
    expect(result.stdout).not.toContain(SENTINEL);
  });

  test("it refuses an unknown name, and suggests the nearest one", async () => {
    const result = await sophia(["explain", "QDRANT_ULR"], { env: { QDRANT_API_KEY: "key-0123456789" } });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("QDRANT_ULR");
    expect(result.stderr).toContain("did you mean QDRANT_URL?");
    expect((await sophia(["explain", "ZZZZZZZ"])).stderr).toContain("sophia-run explain lists");
  });
});

describe("explain shows variables that are withheld from the program:", () => {
  const reasons: readonly (readonly [string[], string, string])[] = [
    [[], "ESC_ENV", "without --keep-esc"],
    [["--exclude", "QDRANT_*"], "QDRANT_URL", "by --exclude"],
    [["--include", "QDRANT_*"], "FROM_FILE", "by --include"],
    [["--only-declared"], "FROM_FILE", "by --only-declared or --pristine"],
    [["--pristine"], "FROM_FILE", "by --only-declared or --pristine"],
    [["--pristine"], "FROM_ENVIRONMENT", "the process environment: by --pristine"],
  ];
  test.each(reasons)("with %j it shows that %s is withheld", async (options, name, why) => {
    const cwd = folder({ ".env": `FROM_FILE=${SENTINEL}\n` });
    const env = { ...CONTRACT_VALUES, FROM_ENVIRONMENT: SENTINEL, ESC_ENV: "sophia/dev" };
    const result = await sophia(["explain", ...options, name], { cwd, env });
    expect(rowsOf(result, name)[0]).toMatch(/withheld from the program/);
    expect(rowsOf(result, name).join(" ")).toContain(why);
    expect(result.stdout).not.toContain(SENTINEL);
  });

  test.each(["--exclude", "--include"])("check and a start that fails give the same reason: %s", async (option) => {
    const glob = option === "--exclude" ? "QDRANT_URL" : "QDRANT_URL_2";
    const contract = JSON.stringify({ variables: { QDRANT_URL: { required: true }, QDRANT_URL_2: {} } });
    const cwd = folder({ "sophia.contract.json": contract, ".env": `QDRANT_URL=${SENTINEL}\n` });
    const [explained, checked] = await Promise.all(
      ["explain", "check"].map((command) => sophia([command, option, glob], { cwd, env: { QDRANT_URL_2: SENTINEL } })),
    );
    if (explained === undefined || checked === undefined) throw new Error("nothing has run");
    expect(rowsOf(explained, "QDRANT_URL")).toContain(`withheld .env:1: by ${option}`);
    expect(checked.stdout).toContain(`QDRANT_URL: Withheld by ${option}`);
    if (option === "--include") return;
    const started = await sophia([option, glob, "--", "true"], { cwd });
    expect(unwrapLines(started.stderr)).toMatch(new RegExp(`QDRANT_URL .*withheld by ${option}`));
  });

  test("it counts undeclared variables of the environment, and lists them with --all", async () => {
    const env = { ...CONTRACT_VALUES, ESC_ENV: "sophia/dev", MINE: SENTINEL };
    const short = await sophia(["explain"], { env });
    expect(short.stdout.replaceAll("\n", " ")).toMatch(/ \d+ further variables .* passed on, 1 .* withheld; --all/);
    expect(short.stdout).not.toContain("MINE");
    const long = await sophia(["explain", "--all"], { env });
    expect(rowsOf(long, "MINE")).toEqual(["state set, not declared", "from the process environment"]);
    expect(long.stdout).not.toContain(SENTINEL);
  });
});

test("explain --json is versioned and holds no value", async () => {
  await using server = await startEscServer();
  addSophiaEnvironment(server);
  const cwd = folder({ ".env": `GITHUB_PAT=${sentinelOf("other")}\n` });
  const result = await sophia(["explain", "--json"], { cwd, env: escVariables(server) });
  const report: unknown = JSON.parse(result.stdout);
  expect(report).toMatchObject({
    version: 1,
    contract: { source: "built-in" },
    esc: { status: "read", credential: "ESC_TOKEN", environments: [{ name: "acme/sophia/dev" }] },
    variables: expect.arrayContaining([
      expect.objectContaining({
        name: "GITHUB_PAT",
        declared: true,
        state: "set",
        passed: true,
        origin: { source: "esc", environment: "acme/sophia/dev", line: 7 },
        shadows: [{ origin: { source: "dotenv", file: ".env", line: 1 }, same: false }],
      }),
      expect.objectContaining({
        name: "LOG_LEVEL",
        declared: false,
        origin: expect.objectContaining({ importedFrom: "sophia/base" }),
      }),
      expect.objectContaining({ name: "DATABASE_URL", state: "unset", passed: false }),
    ]),
  });
  expect(result.stdout).not.toContain(SENTINEL);
  expect(result.stdout).not.toContain(server.token.slice(-4));
});

test.each([
  ["TOKEN", /^masked/],
  ["SHORT", /never masked: .*six/],
  ["COMMON", /never masked: .*common/],
  ["ARMOUR", /never masked: .*line of a key/],
  ["OPEN", /never masked: the contract/],
  ["OTHER", /never masked: neither/],
])("explain says whether the program's output is masked for %s, and why not", async (name, words) => {
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({
      variables: { TOKEN: {}, SHORT: {}, COMMON: {}, ARMOUR: {}, OPEN: { secret: false } },
    }),
  });
  const env = {
    TOKEN: sentinelOf("token"),
    SHORT: "ab12",
    COMMON: "Production",
    ARMOUR: "-----BEGIN PRIVATE KEY-----",
    OPEN: sentinelOf("open"),
    OTHER: sentinelOf("other"),
  };
  const row =
    rowsOf(await sophia(["explain", name], { cwd, env }), name).find((one) => one.startsWith("output ")) ?? "";
  expect(row.slice("output ".length)).toMatch(words);
  expectWording(row);
});

import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { folder, sophia, sophiaRun, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { escVariables } from "../sophia-environment.ts";
import {
  SECRET_VARIABLES,
  findingsOf,
  runGit,
  KEY,
  PEM,
  createRepository,
  runScan,
  createProject,
} from "./repository.ts";

describe("scan: the working tree", () => {
  test("is reported by file, line and variable of each secret, in all its forms, without a value", async () => {
    const cwd = createRepository({
      "src/config.ts": `// one\nconst key = "${KEY}";\n`,
      "docs/url.md": `a\r\nb\r\nhttps://h/?k=${encodeURIComponent(KEY)}&m=production&r=eu-central-1\n`,
      "k8s/secret.yaml": `data:\n  key: ${Buffer.from(KEY).toString("base64")}\n`,
      "k8s/tls.yaml": `key: |\n${PEM.replaceAll(/^/gm, "  ")}`,
      "key.pem": PEM,
      "image.bin": Buffer.concat([Buffer.from([0, 255, 10, 254]), Buffer.from(KEY), Buffer.from([0])]),
      "clean.txt": "nothing here\n",
    });
    const result = await runScan(cwd);
    expect(result.status).toBe(1);
    expect(findingsOf(result)).toEqual([
      "docs/url.md:3: API_KEY (URL)",
      "image.bin:2: API_KEY",
      "k8s/secret.yaml:2: API_KEY (base64)",
      "k8s/tls.yaml:3-4: TLS_KEY (a line)",
      "key.pem:1: TLS_KEY",
      "src/config.ts:2: API_KEY",
    ]);
    expect(result.stdout).toContain("❌ 2 secrets");
    expectWording(result.stdout);
    expect(result.stderr).toBe("");
  });

  test("without a secret has status 0", async () => {
    const result = await runScan(createRepository({ "clean.txt": "nothing here, in production\n" }));
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("✅");
    expectWording(result.stdout);
  });

  test("is searched without ignored files, unless git tracks them", async () => {
    const cwd = createRepository({
      ".gitignore": ".env\nbuild/\n",
      ".env": `API_KEY=${KEY}\n`,
      "build/out.js": KEY,
      "build/kept.js": KEY,
      "sub/.gitignore": "*.log\n",
      "sub/a.log": KEY,
      "sub/a.txt": KEY,
    });
    runGit(cwd, "add", "--force", "build/kept.js");
    expect(findingsOf(await runScan(cwd))).toEqual(["build/kept.js:1: API_KEY", "sub/a.txt:1: API_KEY"]);
  });

  /** Settings that a project ignores, and files beside them that are no settings. */
  const IGNORED = {
    ".gitignore": ".mcp.json\n.cursor/\n.vscode\n.claude/\n.codex/*\n.other/\n",
    ".mcp.json": `{"env":{"K":"${KEY}"}}`,
    ".cursor/mcp.json": KEY,
    ".vscode/mcp.json": KEY,
    ".claude/settings.local.json": KEY,
    ".claude/deep/down.json": KEY,
    ".codex/config.toml": KEY,
    ".other/x": KEY,
  };
  const SETTINGS = [
    ".claude/deep/down.json:1: API_KEY",
    ".claude/settings.local.json:1: API_KEY",
    ".codex/config.toml:1: API_KEY",
    ".cursor/mcp.json:1: API_KEY",
    ".mcp.json:1: API_KEY",
    ".vscode/mcp.json:1: API_KEY",
  ];

  test.each([
    ["in a repository", createRepository],
    ["without one", createProject],
  ])("has the settings of agents, which are searched although git ignores them, %s", async (_, make) => {
    expect(findingsOf(await runScan(make(IGNORED)))).toEqual(SETTINGS);
  });

  test("has each finding in the settings of agents once, if git lists the file as well", async () => {
    const cwd = createRepository({ ".mcp.json": KEY, ".gitignore": ".claude/\n", ".claude/a": KEY, ".claude/b": KEY });
    runGit(cwd, "add", "--force", ".claude/b");
    const once = [".claude/a:1: API_KEY", ".claude/b:1: API_KEY", ".mcp.json:1: API_KEY"];
    expect(findingsOf(await runScan(cwd))).toEqual(once);
  });

  test("is extended by the settings of agents in the home folder with --home, through links, and by nothing else of it", async () => {
    const cwd = createRepository({ "clean.txt": "nothing\n" });
    const home = createProject({
      ...IGNORED,
      ".claude.json": KEY,
      "dotfiles/settings.json": KEY,
      "dotfiles/codex/c.toml": KEY,
    });
    rmSync(join(home, ".codex"), { recursive: true });
    symlinkSync("dotfiles/codex", join(home, ".codex"));
    symlinkSync("../dotfiles/settings.json", join(home, ".claude/settings.json"));
    symlinkSync("nowhere", join(home, ".vscode/broken"));
    symlinkSync("..", join(home, ".vscode/loop"));
    const names = [
      ".claude.json",
      ".claude/deep/down.json",
      ".claude/settings.json",
      ".claude/settings.local.json",
      ".codex/c.toml",
      ".cursor/mcp.json",
      ".mcp.json",
      ".vscode/mcp.json",
    ];
    const result = await sophia(["scan", "--home"], { cwd, env: { ...SECRET_VARIABLES, HOME: home } });
    expect(result).toMatchObject({ status: 1, stderr: "" });
    expect(findingsOf(result)).toEqual(names.map((name) => `${join(home, name)}:1: API_KEY`));
    expect((await sophia(["scan"], { cwd, env: { ...SECRET_VARIABLES, HOME: home } })).status).toBe(0);
  });

  test.each([
    [["--home", "--staged"], "--home cannot be used together with --staged or --history"],
    [["--home", "--history"], "--home cannot be used together with --staged or --history"],
    [["--home"], "--home needs the path of the home folder"],
  ])("is not searched with %j, which is an error", async (options, message) => {
    const result = await sophia(["scan", ...options], {
      cwd: createRepository({}),
      env: { ...SECRET_VARIABLES, HOME: "" },
    });
    expect(result.status).toBe(125);
    expect(unwrapLines(result.stderr)).toContain(message);
  });

  test("is searched without the files in its .gitignore even without a repository", async () => {
    const cwd = createProject({ ".gitignore": ".env\n", ".env": KEY, "a.txt": KEY, "sub/b.txt": KEY });
    expect(findingsOf(await runScan(cwd))).toEqual(["a.txt:1: API_KEY", "sub/b.txt:1: API_KEY"]);
  });

  test("is searched without the files in the .gitignore of a repository in it", async () => {
    const cwd = createRepository({ "inner/.gitignore": "no.txt\n", "inner/no.txt": KEY, "inner/yes.txt": KEY });
    runGit(join(cwd, "inner"), "init", "--quiet");
    expect(findingsOf(await runScan(cwd))).toEqual(["inner/yes.txt:1: API_KEY"]);
  });

  test("is searched once in the folder of a submodule that is not checked out", async () => {
    const cwd = createRepository({ "inner/a.txt": KEY });
    runGit(cwd, "update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},inner`);
    const result = await runScan(cwd);
    expect({ ...result, stdout: findingsOf(result) }).toMatchObject({ stdout: ["inner/a.txt:1: API_KEY"], stderr: "" });
  });

  test("is searched without following links, and without a message about a deleted file", async () => {
    const outside = folder({ "secret.txt": KEY });
    const cwd = createRepository({ "gone.txt": "x", "real/a.txt": "x" });
    symlinkSync(join(outside, "secret.txt"), join(cwd, "link.txt"));
    symlinkSync(outside, join(cwd, "linked"));
    runGit(cwd, "add", ".");
    rmSync(join(cwd, "gone.txt"));
    expect(await runScan(cwd)).toMatchObject({ status: 0, stderr: "" });
  });

  test("is searched only below the named paths", async () => {
    const cwd = createRepository({ "a.txt": KEY, "sub/b.txt": KEY, "other/c.txt": KEY });
    expect(findingsOf(await runScan(cwd, "sub", "a.txt"))).toEqual(["a.txt:1: API_KEY", "sub/b.txt:1: API_KEY"]);
    const result = await runScan(cwd, "no-such-file");
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("(ENOENT)");
  });

  test("is searched for secrets across the chunks in which a file is read", async () => {
    const line = `${"x".repeat(63)}\n`;
    const before = line.repeat((1 << 20) / 64).slice(0, -10);
    const cwd = createRepository({ "large.txt": `${before}\n${KEY}\n${line.repeat(20_000)}${KEY}` });
    const lastOffset = (1 << 20) / 64 + 1 + 20_000 + 1;
    const lines = findingsOf(await runScan(cwd));
    expect(lines).toEqual([`large.txt:${(1 << 20) / 64 + 1}: API_KEY`, `large.txt:${lastOffset}: API_KEY`]);
  });

  test("is reported without secrets in the names of files", async () => {
    const cwd = createRepository({ "token-SENTINEL9f2cAAAAAAAA.txt": KEY });
    expect(findingsOf(await runScan(cwd))).toEqual(["token-***.txt:1: API_KEY"]);
  });

  test("is reported by --json with a version and without values", async () => {
    const cwd = createRepository({ "a.txt": `\n${KEY}\n${Buffer.from(KEY).toString("base64")}` });
    const { status, stdout } = await runScan(cwd, "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      found: true,
      findings: [
        { file: "a.txt", line: 2, lastLine: 2, variable: "API_KEY", part: "value", encoding: "plain" },
        { file: "a.txt", line: 3, variable: "API_KEY", encoding: "base64" },
      ],
      searched: { secrets: 2, contents: 2 },
    });
  });

  test("is searched for secrets of ESC", async () => {
    await using server = await startEscServer();
    server.environment("acme/sophia/dev", { values: { MARKED: secret("SENTINEL-marked-1"), PLAIN: "plain-value-2" } });
    const cwd = createRepository({ "a.txt": "plain-value-2\nSENTINEL-marked-1\n" });
    const result = await sophia(["scan"], { cwd, env: escVariables(server) });
    expect(findingsOf(result)).toEqual(["a.txt:2: MARKED"]);
    expect(result.stdout).not.toContain("SENTINEL");
  });

  test("causes a warning if there is no secret to search for", async () => {
    const cwd = createRepository({ "a.txt": KEY });
    const result = await sophia(["scan"], { cwd });
    expect(result.status).toBe(0);
    expect(result.stderr).toContain("nothing to search");
    expectWording(result.stderr);
  });
});

describe("scan: git's index and history", () => {
  test("are searched instead of the files: --staged reads the index", async () => {
    const cwd = createRepository({ "a.txt": `x\n${KEY}\n`, "b.txt": "clean" });
    runGit(cwd, "add", "a.txt", "b.txt");
    writeFileSync(join(cwd, "a.txt"), "clean now");
    writeFileSync(join(cwd, "b.txt"), KEY);
    const result = await runScan(cwd, "--staged");
    expect(result.status).toBe(1);
    expect(findingsOf(result)).toEqual(["a.txt:2: API_KEY"]);
    runGit(cwd, "add", "a.txt");
    rmSync(join(cwd, "b.txt"));
    runGit(cwd, "add", "--all");
    expect((await runScan(cwd, "--staged")).status).toBe(0);
  });

  test("are searched with files and messages of all branches by --history, which reports the commit", async () => {
    const cwd = createRepository({ "a.txt": `x\n${KEY}\n` });
    runGit(cwd, "add", ".");
    runGit(cwd, "commit", "--quiet", "--message", "one");
    const first = runGit(cwd, "rev-parse", "HEAD").trim().slice(0, 12);
    writeFileSync(join(cwd, "a.txt"), "clean");
    runGit(cwd, "commit", "--quiet", "--all", "--message", `two\n\nwith ${KEY}`);
    const second = runGit(cwd, "rev-parse", "HEAD").trim().slice(0, 12);
    runGit(cwd, "checkout", "--quiet", "-b", "other");
    writeFileSync(join(cwd, "b.txt"), encodeURIComponent(KEY));
    runGit(cwd, "add", ".");
    runGit(cwd, "commit", "--quiet", "--message", "three");
    const third = runGit(cwd, "rev-parse", "HEAD").trim().slice(0, 12);
    runGit(cwd, "checkout", "--quiet", "-");
    expect((await runScan(cwd)).status).toBe(0);

    const result = await runScan(cwd, "--history");
    expect(result.status).toBe(1);
    expect(findingsOf(result).map((line) => line.replace(/(?<=message\)):\d+/, ":N"))).toEqual(
      [`${first} a.txt:2: API_KEY`, `${second} (message):N: API_KEY`, `${third} b.txt:1: API_KEY (URL)`].toSorted(),
    );
  });

  test("are searched without objects that no branch reaches", async () => {
    const cwd = createRepository({ "a.txt": KEY });
    runGit(cwd, "add", ".");
    writeFileSync(join(cwd, "a.txt"), "clean");
    runGit(cwd, "add", ".");
    runGit(cwd, "commit", "--quiet", "--message", "clean");
    expect((await runScan(cwd, "--history")).status).toBe(0);
  });

  test.each(["--staged", "--history"])("cannot be searched without a repository: %s is an error", async (option) => {
    const result = await runScan(createProject({}), option);
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("git cannot read");
  });

  test.each(["--staged", "--history"])("cannot be searched without git: %s is an error", async (option) => {
    const cwd = createRepository({});
    const result = await sophia(["scan", option], { cwd, env: { ...SECRET_VARIABLES, PATH: folder() } });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain("not installed");
    expectWording(result.stderr);
  });

  test("cannot be searched together: --staged with --history is an error", async () => {
    expect(await runScan(createProject({}), "--staged", "--history")).toMatchObject({ status: 125 });
  });
});

test("scan with SOPHIA_BROKER searches for the real key, and the program of a broker finds its dummy", async () => {
  const real = "sk-real-openai-0a1b2c3d";
  const cwd = folder({
    "sophia.contract.json": JSON.stringify({ variables: { OPENAI_API_KEY: {} } }),
    "a.txt": `one\n${real}\n`,
  });
  const brokerEnvironment = { OPENAI_API_KEY: real, SOPHIA_BROKER: "1" };
  const result = await sophia(["scan"], { cwd, env: brokerEnvironment });
  expect([result.status, findingsOf(result)]).toEqual([1, ["a.txt:2: OPENAI_API_KEY"]]);
  const [node, ...launcher] = sophiaRun;
  const command = `printf %s "$OPENAI_API_KEY" > dummy.txt; exec "$@" scan`;
  const inner = await sophia(["--", "sh", "-c", command, "sh", node, ...launcher], { cwd, env: brokerEnvironment });
  expect([inner.status, findingsOf(inner)]).toEqual([1, ["dummy.txt:1: OPENAI_API_KEY"]]);
});

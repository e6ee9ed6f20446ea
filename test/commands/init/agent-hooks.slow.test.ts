/** `init --with claude,codex`: the hooks of docs/agents.md in the settings of these agents. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { noNobody, sophiaAsNobody } from "../../helpers/nobody.ts";
import { skipBecause } from "../../helpers/skip.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

const CLAUDE = ".claude/settings.json";
const CODEX = ".codex/config.toml";
const CONTRACT = { "sophia.contract.json": '{"variables":{"A":{}}}' };
const DOCUMENT = readFileSync(join(import.meta.dirname, "../../../docs/agents.md"), "utf8");

const readProjectFile = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");

function createProject(files: Readonly<Record<string, string>> = {}): string {
  const cwd = folder(CONTRACT);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return cwd;
}

/** The block of the document that begins with these words. */
function findCodeBlock(language: string, begin: string): string {
  const found = DOCUMENT.split("```").find((part) => part.startsWith(`${language}\n${begin}`));
  if (found === undefined) throw new Error(`docs/agents.md has no block of ${language}`);
  return found.slice(language.length + 1);
}

const HOOKS: unknown = JSON.parse(findCodeBlock("json", '{\n  "hooks"'));
const TABLES = findCodeBlock("toml", "[[hooks");

const runInit = (cwd: string, names = "claude,codex") => sophia(["init", "--with", names], { cwd });

test("init writes the settings of docs/agents.md if there are none", async () => {
  const cwd = createProject();
  const { status, stdout } = await runInit(cwd);
  expect(status).toBe(0);
  expect(stdout).toContain(`created ${CLAUDE}\n`);
  expect(stdout).toContain(`created ${CODEX}\n`);
  expectWording(stdout);
  expect(JSON.parse(readProjectFile(cwd, CLAUDE))).toEqual(HOOKS);
  expect(readProjectFile(cwd, CODEX)).toBe(TABLES);
});

test("init changes nothing in settings of agents the second time", async () => {
  const cwd = createProject();
  await runInit(cwd);
  const former = [readProjectFile(cwd, CLAUDE), readProjectFile(cwd, CODEX)];
  const { status, stdout } = await runInit(cwd);
  expect(status).toBe(0);
  for (const name of [CLAUDE, CODEX]) expect(stdout).toContain(`${name} uses sophia-run already\n`);
  expect([readProjectFile(cwd, CLAUDE), readProjectFile(cwd, CODEX)]).toEqual(former);
});

test("init gives hooks to the named agent only, and `all` names none", async () => {
  const cwd = createProject();
  expect((await runInit(cwd, "codex")).status).toBe(0);
  expect(existsSync(join(cwd, CODEX))).toBe(true);
  expect(existsSync(join(cwd, ".claude"))).toBe(false);
  const other = createProject();
  await runInit(other, "all");
  expect(readdirSync(other)).toEqual(Object.keys(CONTRACT));
});

test("init refuses an unknown agent, and lists the known ones", async () => {
  const cwd = createProject();
  const { status, stderr } = await runInit(cwd, "claude,cursor");
  expect(status).toBe(125);
  expect(unwrapLines(stderr)).toContain(
    "'cursor' allowed: docker, devcontainer, actions, actions-oidc, auth-actions, all, claude, codex",
  );
  expect(readdirSync(cwd)).toEqual(Object.keys(CONTRACT));
});

describe("init keeps what the settings of agents have:", () => {
  const GROUP = { matcher: "Bash", hooks: [{ type: "command", command: "./mine.sh" }] };

  test("JSON keeps comments, a byte-order mark, tabs and line breaks of Windows", async () => {
    const lines = [
      "\uFEFF{",
      "\t// mine",
      '\t"model": "opus", /* why */',
      '\t"hooks": {',
      '\t\t"Stop": [],',
      `\t\t"PreToolUse": [${JSON.stringify(GROUP)}], // a`,
      "\t},",
      '\t"env": { "A": "b" }, // last',
      "}",
      "",
    ];
    const cwd = createProject({ [CLAUDE]: lines.join("\r\n") });
    const { status, stdout } = await runInit(cwd, "claude");
    expect(status).toBe(0);
    expect(stdout).toContain(`changed ${CLAUDE}: it now has\n  "PreToolUse": [`);
    const text = readProjectFile(cwd, CLAUDE);
    for (const keptLine of [...lines.slice(0, 5), " // a\r\n", ...lines.slice(7)]) expect(text).toContain(keptLine);
    expect(text.replaceAll("\r\n", "")).not.toMatch(/\n|\r/);
    const pattern: unknown = JSON.parse(JSON.stringify(HOOKS));
    expect(parse(text.slice(1), [], { allowTrailingComma: true })).toEqual({
      model: "opus",
      hooks: {
        Stop: [],
        PreToolUse: [GROUP, ...groupsOf(pattern, "PreToolUse")],
        PostToolUse: groupsOf(pattern, "PostToolUse"),
      },
      env: { A: "b" },
    });
  });

  test("TOML keeps every byte, and the hooks follow", async () => {
    const former = '# mine\nmodel = "a"\n[[hooks.PreToolUse]]\nmatcher = "x"\n[mcp_servers.x]\ncommand = "y" # no end';
    const cwd = createProject({ [CODEX]: former });
    expect((await runInit(cwd, "codex")).status).toBe(0);
    expect(readProjectFile(cwd, CODEX)).toBe(`${former}\n\n${TABLES}`);
    const windows = createProject({ [CODEX]: "a = 1\r\n" });
    expect((await runInit(windows, "codex")).status).toBe(0);
    expect(readProjectFile(windows, CODEX)).toBe(`a = 1\r\n\r\n${TABLES.replaceAll("\n", "\r\n")}`);
  });

  test("init adds one of two events if the other is there, and recognizes its own hook in another form", async () => {
    const otherHook = "'/opt/a b/sophia-run'  hook claude-code --strict";
    const settings = { hooks: { PreToolUse: [{ hooks: [{ type: "command", command: otherHook }] }] } };
    const [, post = ""] = TABLES.split("\n\n");
    const cwd = createProject({ [CLAUDE]: JSON.stringify(settings), [CODEX]: post });
    expect((await runInit(cwd)).status).toBe(0);
    expect(JSON.parse(readProjectFile(cwd, CLAUDE))).toEqual({
      hooks: { ...settings.hooks, PostToolUse: groupsOf(HOOKS, "PostToolUse") },
    });
    expect(readProjectFile(cwd, CODEX)).toBe(`${post}\n${TABLES.split("\n\n")[0] ?? ""}\n`);
  });

  test("init does not take a hook in a comment for a hook", async () => {
    const comment = TABLES.replaceAll(/^/gm, "# ");
    const cwd = createProject({ [CODEX]: comment });
    expect((await runInit(cwd, "codex")).status).toBe(0);
    expect(readProjectFile(cwd, CODEX)).toContain(`\n${TABLES}`);
  });
});

function groupsOf(document: unknown, event: string): readonly unknown[] {
  const { hooks }: { hooks?: unknown } = Object(document);
  const groups: unknown = Object(hooks)[event];
  if (!Array.isArray(groups)) throw new Error(`no groups of ${event}`);
  return groups;
}

test.each([
  [{ "package.json": '{"dependencies":{"sophia-run":"1"}}' }, "npx --no-install sophia-run hook"],
  [{ "package.json": '{"dependencies":{"sophia-run":"1"}}', "pnpm-lock.yaml": "" }, "pnpm exec sophia-run hook"],
  [
    { "package.json": '{"dependencies":{"sophia-run":"1"}}', "yarn.lock": "# yarn lockfile v1\n" },
    "yarn --silent run sophia-run hook",
  ],
  [{ "package.json": "{}" }, "sophia-run hook"],
  [{ "pyproject.toml": '[project]\ndependencies = ["sophia-run"]\n', "uv.lock": "" }, "uv run sophia-run hook"],
])("init writes the command into the hook: %j: %j", async (files, command) => {
  const cwd = createProject(files);
  const { stdout } = await runInit(cwd);
  expect(readProjectFile(cwd, CLAUDE)).toContain(`"command": "${command} claude-code"`);
  expect(readProjectFile(cwd, CODEX)).toContain(`command = "${command} codex"\n`);
  expect(unwrapLines(stdout).includes("must find sophia-run on its PATH")).toBe(command.startsWith("sophia-run"));
  // It is found again.
  expect((await runInit(cwd)).stdout).toContain(`${CLAUDE} uses sophia-run already`);
});

describe("init prints one error and writes no file if it cannot change the settings:", () => {
  test.each([
    [CLAUDE, '{\n  "a": 1,\n  b\n}', "not valid JSON (line 3, column 3"],
    [CLAUDE, "", "not valid JSON (line 1, column 1"],
    [CLAUDE, "[]", "not a JSON object"],
    [CLAUDE, '{"hooks":null}', "do not have the form"],
    [CLAUDE, '{"hooks":{"PreToolUse":{}}}', "do not have the form"],
    [CLAUDE, '{"hooks":1,"hooks":{}}', "a key twice"],
    [CLAUDE, '{"hooks":{"Stop":[],"Stop":[]}}', "a key twice"],
    [CODEX, "a = \n", "not TOML that init understands (line 1, column 5)"],
    [CODEX, "hooks = 1\n", "do not have the form"],
    [CODEX, "hooks = {}\n", "do not have the form"],
    [CODEX, "[hooks]\nPreToolUse = []\n", "do not have the form"],
    [CODEX, "[[hooks]]\n", "do not have the form"],
  ])("%s: %j", async (name, text, why) => {
    const cwd = folder();
    mkdirSync(join(cwd, dirname(name)));
    writeFileSync(join(cwd, name), text);
    const { status, stdout, stderr } = await runInit(cwd);
    expect(status).toBe(125);
    expect(stdout).toBe("");
    expect(unwrapLines(stderr)).toContain(`sophia-run: ${name} cannot be changed: `);
    expect(unwrapLines(stderr)).toContain(why);
    expectWording(stderr);
    expect(readProjectFile(cwd, name)).toBe(text);
    expect(readdirSync(cwd)).toEqual([dirname(name)]);
  });

  test("JSON is nested a million times", async () => {
    const cwd = createProject({ [CLAUDE]: "[".repeat(1_000_000) });
    const { status, stderr } = await runInit(cwd);
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain("nested too deeply");
  });

  test("but TOML of a million levels, which has no hooks, gets them", async () => {
    const deep = `hooks.a${".a".repeat(1_000_000)} = 1\n`;
    const cwd = createProject({ [CODEX]: deep });
    expect((await runInit(cwd)).status).toBe(0);
    expect(readProjectFile(cwd, CODEX)).toBe(`${deep}\n${TABLES}`);
  });

  test("bytes are not UTF-8", async () => {
    const cwd = folder();
    mkdirSync(join(cwd, ".codex"));
    const bytes = Buffer.from('a = "\xFF"\n', "latin1");
    writeFileSync(join(cwd, CODEX), bytes);
    const { status, stderr } = await runInit(cwd);
    expect(status).toBe(125);
    expect(stderr).toContain("it is not UTF-8");
    expect(readFileSync(join(cwd, CODEX))).toEqual(bytes);
    expect(readdirSync(cwd)).toEqual([".codex"]);
  });

  test("a folder is in their place", async () => {
    const cwd = folder();
    mkdirSync(join(cwd, CLAUDE), { recursive: true });
    const { status, stderr } = await runInit(cwd);
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(`${CLAUDE} cannot be read (it is a folder)`);
    expect(readdirSync(cwd)).toEqual([".claude"]);
  });

  test.each([
    [CLAUDE, "../real.json", "is a symbolic link"],
    [CODEX, "../nowhere", "is a symbolic link"],
    [".claude", "..", "leads out of the project"],
  ])("%s is a link to %s", async (name, target, why) => {
    const cwd = join(folder(), "project");
    mkdirSync(join(cwd, name === ".claude" ? "." : dirname(name)), { recursive: true });
    writeFileSync(join(cwd, "real.json"), "{}");
    symlinkSync(target, join(cwd, name));
    const former = readdirSync(cwd);
    const { status, stderr } = await runInit(cwd);
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(name);
    expect(unwrapLines(stderr)).toContain(why);
    expect(readProjectFile(cwd, "real.json")).toBe("{}");
    expect(readdirSync(cwd)).toEqual(former);
  });
});

describe("init, run by a user without rights,", () => {
  skipBecause(noNobody);

  test.each([
    ["read", 0o600],
    ["written", 0o644],
  ])("leaves settings that cannot be %s as they are", (what, mode) => {
    const cwd = createProject({ [CLAUDE]: '{ "a": 1 }\n' });
    for (const name of [".", ".claude"]) chmodSync(join(cwd, name), 0o755);
    chmodSync(join(cwd, "sophia.contract.json"), 0o644);
    chmodSync(join(cwd, CLAUDE), mode);
    const { status, stderr } = sophiaAsNobody(["init", "--with", "claude,codex"], { cwd });
    expect(status).toBe(125);
    expect(unwrapLines(stderr)).toContain(`${CLAUDE} cannot be ${what} (EACCES)`);
    expect(readProjectFile(cwd, CLAUDE)).toBe('{ "a": 1 }\n');
    expect(existsSync(join(cwd, ".codex"))).toBe(false);
  });
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../../esc-server/index.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { escVariables } from "../sophia-environment.ts";

/** Runs `check --code` for programs. */
async function codeCheck(cwd: string, ...words: readonly string[]) {
  const { status, stdout, stderr } = await sophia(["check", "--code", "--json", ...words], { cwd });
  expect(stderr).toBe("");
  return { status, json: JSON.parse(stdout) };
}

const CONTRACT = JSON.stringify(
  {
    name: "shop",
    variables: {
      API_KEY: { required: true },
      OLD_TOKEN: {},
      FOR_A_LIBRARY: { unread: true },
      RENAMED: { aliases: ["FORMER"] },
      LISTED: {},
    },
    scopes: { web: ["API_KEY"] },
  },
  undefined,
  2,
);

const CODE = {
  "sophia.contract.json": CONTRACT,
  "web/pay.ts": `// process.env.IN_A_COMMENT
const key = process.env.API_KEY;
const stripe = process.env["STRIPE_KEY"] ?? fail("no key"); // and process.env.BEHIND
export const { APY_KEY } = process.env;
`,
  "jobs/run.py": 'import os\nos.environ["STRIPE_KEY"]; os.getenv("FORMER")\n',
  "jobs/names.go": 'var names = []string{"LISTED"}\n',
  "node_modules/x/index.js": "process.env.OF_A_PACKAGE",
  start: '#!/bin/sh\nexec app "${PORT:?}" "$HOME"\n',
};

describe("check --code compares the names that the code reads with the contract", () => {
  test("and reports each name with file and line; only undeclared names end it with 1, with --strict", async () => {
    const cwd = folder(CODE);
    const { status, json } = await codeCheck(cwd);
    expect(status).toBe(0);
    expect(json).toEqual({
      version: 1,
      passed: true,
      contract: expect.objectContaining({ project: "shop" }),
      folder: ".",
      files: 4,
      notRead: [],
      complete: true,
      undeclared: [
        { name: "APY_KEY", required: false, outside: false, places: [{ file: "web/pay.ts", line: 4 }] },
        { name: "PORT", required: true, outside: false, places: [{ file: "start", line: 2 }] },
        {
          name: "STRIPE_KEY",
          required: true,
          outside: false,
          places: [
            { file: "jobs/run.py", line: 2 },
            { file: "web/pay.ts", line: 3 },
          ],
        },
      ],
      unread: [{ name: "OLD_TOKEN", place: { file: "sophia.contract.json", line: 7 } }],
      turbo: [],
    });
    const strict = await sophia(["check", "--code", "--strict"], { cwd });
    expect(strict.status).toBe(1);
    expectWording(strict.stdout);
    const lax = await sophia(["check", "--code"], { cwd });
    expect(lax.status).toBe(0);
    for (const line of [
      "⚠️ STRIPE_KEY: jobs/run.py:2 and web/pay.ts:3 (the code fails without it)",
      "   did you mean API_KEY?",
      "⚠️ OLD_TOKEN: sophia.contract.json:7",
    ]) {
      expect(lax.stdout.split("\n")).toContain(line);
    }
  });

  test("and passes with --strict if they agree; a declared name that only a comment has is reported as unread", async () => {
    const contract = JSON.stringify({ variables: { A: {} } });
    const agreeing = folder({ "sophia.contract.json": contract, "a.rs": 'env!("A")' });
    expect(await codeCheck(agreeing, "--strict")).toMatchObject({ status: 0, json: { undeclared: [], unread: [] } });
    expectWording((await sophia(["check", "--code", "--strict"], { cwd: agreeing })).stdout);
    const commented = folder({ "sophia.contract.json": contract, "a.rs": '// env!("A")\n', "types.d.ts": "A: string" });
    expect(await codeCheck(commented, "--strict")).toMatchObject({ status: 0, json: { unread: [{ name: "A" }] } });
  });

  test("and finds a declared variable in files of other languages", async () => {
    const variables = { A: {}, B: {}, C: {} };
    const cwd = folder({
      "sophia.contract.json": JSON.stringify({ variables }),
      "schema.prisma": 'url = env("A")',
      "package.json": '{"scripts":{"start":"x $B"}}',
      "App.java": 'System.getenv("C_D")',
      "notes.md": "C",
    });
    expect((await codeCheck(cwd)).json).toMatchObject({ files: 0, undeclared: [], unread: [{ name: "C" }] });
  });

  test("and takes a folder below the contract's as a part of the code, in which a scope is whole", async () => {
    const cwd = folder(CODE);
    expect((await codeCheck(cwd, "web")).json).toMatchObject({
      folder: "web",
      unread: null,
      undeclared: [{ name: "APY_KEY" }, { name: "STRIPE_KEY" }],
    });
    expect((await codeCheck(cwd, "--scope", "web", "jobs")).json).toMatchObject({
      unread: [{ name: "API_KEY" }],
      undeclared: [
        { name: "FORMER", outside: true },
        { name: "STRIPE_KEY", outside: false },
      ],
    });
    const { stdout } = await sophia(["check", "--code", "--scope", "web", "jobs"], { cwd });
    expect(stdout).toContain("   declared, but not in the scope web\n");
    // From inside, without a name, it is the folder of the command.
    expect((await codeCheck(join(cwd, "web"))).json).toMatchObject({ folder: ".", unread: null });
    expect((await codeCheck(join(cwd, "web"), "..")).json).toMatchObject({ unread: [{ name: "OLD_TOKEN" }] });
  });

  test("and takes variables of other profiles, of extended contracts and of the broker as declared", async () => {
    const cwd = folder({
      "base.json": JSON.stringify({ variables: { A: {}, OPENAI_API_KEY: {} } }, undefined, 1),
      "sophia.contract.json": JSON.stringify({
        extends: "./base.json",
        profiles: { prod: { variables: { B: {} } } },
      }),
      "a.js": "process.env.B; process.env.OPENAI_API_KEY; process.env.OPENAI_BASE_URL; process.env.C",
    });
    expect((await codeCheck(cwd)).json).toMatchObject({
      undeclared: [{ name: "C" }],
      unread: [{ name: "A", place: { file: "base.json", line: 3 } }],
    });
  });

  test("and prints no lines for the built-in contract; --project names the folder", async () => {
    const cwd = folder({ "app/a.js": "process.env.QDRANT_URL; process.env.X" });
    const { json } = await codeCheck(cwd, "--project", "app");
    expect(json).toMatchObject({ folder: "app", undeclared: [{ name: "X", places: [{ file: "app/a.js", line: 1 }] }] });
    expect(json.unread).toContainEqual({ name: "QDRANT_API_KEY", place: null });
    const { stdout } = await sophia(["check", "--code"], { cwd });
    expect(stdout).toContain("⚠️ QDRANT_API_KEY: the built-in contract\n");
  });
});

describe("check --code reads turbo.json", () => {
  const gaps = async (turbo: Readonly<Record<string, unknown>>, others: Readonly<Record<string, string>> = {}) => {
    const cwd = folder({
      "sophia.contract.json": JSON.stringify({ variables: { A: {}, B_C: {}, B_D: {}, E: { unread: true } } }),
      "a.js": "process.env.A; process.env.B_C; process.env.B_D",
      "turbo.json": JSON.stringify(turbo, undefined, 2),
      ...others,
    });
    return (await codeCheck(cwd)).json.turbo;
  };

  test("and reports names that are in none of its lists", async () => {
    expect(await gaps({ tasks: {} })).toEqual([{ file: "turbo.json", line: 1, names: ["A", "B_C", "B_D"] }]);
    const lists = { globalEnv: ["A"], tasks: { build: { env: ["B_*", "!B_D"] } }, globalPassThroughEnv: ["X"] };
    expect(await gaps(lists)).toEqual([]);
    expect(await gaps({ pipeline: { dev: { passThroughEnv: ["B_C"] } }, globalPassThroughEnv: [] })).toEqual([
      { file: "turbo.json", line: 9, names: ["A", "B_D"] },
    ]);
  });

  test("and adds a package's lists to the root's; it reports nothing in the loose mode, or if sophia-run starts inside of tasks", async () => {
    const inPackage = { "packages/a/turbo.json": '{"extends":["//"],"tasks":{"x":{"env":["B_*"]}}} // of a package' };
    expect(await gaps({ globalEnv: ["A"] }, inPackage)).toEqual([]);
    expect(await gaps({ globalEnv: ["X"] }, inPackage)).toMatchObject([{ names: ["A"] }]);
    expect(await gaps({ envMode: "loose" })).toEqual([]);
    expect(await gaps({ globalPassThroughEnv: ["ESC_*"] })).toEqual([]);
  });

  test("and reports a file that is not JSON with its line", async () => {
    const cwd = folder({
      "sophia.contract.json": '{"variables":{"A":{}}}',
      "a.js": "process.env.A",
      "turbo.json": '{\n  "globalEnv": [\n',
    });
    const { status, stdout } = await sophia(["check", "--code"], { cwd });
    expect(status).toBe(0);
    expectWording(stdout);
  });
});

test("check --code reads neither ESC nor a value: wrong settings do not matter", async () => {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const cwd = folder({ ...CODE, ".env": "API_KEY=SENTINEL-9f2c-value\n" });
  const { status, stdout } = await sophia(["check", "--code"], { cwd, env: escVariables(server) });
  expect(status).toBe(0);
  expect(stdout).not.toContain("SENTINEL");
  expect(server.calls).toEqual([]);
});

test("check --code names a file that cannot be read", async () => {
  const cwd = folder({ "sophia.contract.json": CONTRACT, "large.js": "x".repeat(1024 * 1024 + 1) });
  const { json } = await codeCheck(cwd);
  expect(json).toMatchObject({ complete: false, notRead: ["large.js"] });
  expect((await sophia(["check", "--code"], { cwd })).stdout).toContain("larger than 1 MiB): large.js");
});

test.each([
  [["check", "--code", "missing"], "missing does not exist"],
  [["check", "--code", "a.js"], "a.js is not a folder"],
  [["check", "--code", "--live"], "--code and --live cannot be used together"],
  [["check", "--code", "--against", "a/b"], "--code and --against cannot be used together"],
  [["check", "src"], "check takes no arguments"],
  [["check", "code"], "did you mean --code?"],
  [["check", "--code", "a", "b"], "check takes no more than [FOLDER]"],
  [["check", "--strict"], "--strict needs --against, --live or --code"],
])("check --code refuses %j", async (words, message) => {
  const cwd = folder({ "a.js": "" });
  const { status, stderr } = await sophia(words, { cwd });
  expect(status).toBe(125);
  expect(stderr).toContain(message);
});

test("check --code names code in UTF-16, and a folder that lies too deep, as not read", async () => {
  const below = (depth: number): string => Array.from({ length: depth }, () => "d").join("/");
  const files = {
    "sophia.contract.json": '{"variables":{}}',
    [`${below(40)}/x.ts`]: "process.env.DEEP",
    "empty.ts": "",
  };
  const cwd = folder(files);
  writeFileSync(join(cwd, "wide.ts"), "\ufeffprocess.env.WIDE", "utf16le");
  const { json } = await codeCheck(cwd);
  expect(json).toMatchObject({ files: 1, complete: false, notRead: [below(33), "wide.ts"], undeclared: [] });
});

test("check --code ignores block comments, documentation and messages, and reads the code around them", async () => {
  const cwd = folder({
    "sophia.contract.json": '{"variables":{}}',
    "a.ts": `/* process.env.A
   process.env.B */ process.env.C1; call(/* process.env.D */ process.env.C2);
const glob = "src/**/*.ts", page = <p>Don't {/* process.env.E */}{process.env.C3}</p>; // it's /* open
process.env.C4; const text = 'a /* b'; process.env.C5; ls(\`\${dir}/*.ts\`); process.env.C6; /* */
`,
    "b.py": `"""Needs os.environ["A"].

os.environ["B"]
"""
import os  # it's ''' here
raise Missing('set os.environ["C"]', f"{os.environ['C7']}", r'\\\\', os.environ["C8"])
x = """
os.environ["D"]
"""
os.environ["C9"]
`,
    "c.go": 'package c\n/*\nos.Getenv("A")\n*/\nvar x = os.Getenv("C10")\n',
  });
  const { json } = await codeCheck(cwd);
  const names = json.undeclared.map(({ name }: { readonly name: string }) => name);
  expect(names).toEqual(["C1", "C10", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"]);
});

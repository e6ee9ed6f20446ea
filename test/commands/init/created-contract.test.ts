/** The contract that init writes from the sources of a project, the questions that it asks, and its report. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { SENTINEL } from "../sophia-environment.ts";
import { changedFiles, repository, runInit, textOf, type InitOptions } from "./run-init.ts";

/** Runs init, and compares its output, its questions and all files that it has created or changed. */
async function expectContract(files: Readonly<Record<string, string>>, options: InitOptions = {}): Promise<void> {
  const cwd = repository(files);
  const { stdout, stderr } = await runInit(cwd, options);
  expectWording(stdout);
  expectWording(stderr);
  const changed = changedFiles(cwd, files);
  expect(JSON.stringify(changed) + stdout + stderr).not.toContain(SENTINEL);
  expect(changed).toMatchSnapshot();
}

const CODE = [
  "const { LISTED } = process.env;",
  "use(process.env.NEEDED!, process.env.PATH, process.env.SOPHIA_MODE, process.env['OPEN'], process.env.API_URL);",
  "use(process.env.WITH_FALLBACK ?? 'x');",
  "require('dotenv').config();",
  "require('dotenv').config({ override: true });",
  "",
].join("\n");

describe("init writes a contract from", () => {
  test("all sources that the project has", async () => {
    await expectContract({
      "package.json": '{"name":"@acme/shop"}',
      ".env.example": "# The address\nAPI_URL=https://api.test\n# PORT=8080\nDEBUG=true\nAPI_KEY=\nLEVEL=debug\n",
      ".env.schema": "# @required\nSCHEMA=1\n# @optional @public\nPLAIN=a\n",
      "secretspec.toml": '[profiles.default]\nSCHEMA = { description = "x" }\n',
      "doppler.yaml": "setup:\n  project: app\n",
      "app.js": CODE,
      "test/app.test.js": "process.env.OF_TEST!;",
      ".env": `NEEDED=${SENTINEL}\nEMPTY=\nAPP_URL=https://app.test\nWEB_PORT=80\nOTHER_PORT=${SENTINEL}\nLISTD=1\nHOME=/x\n`,
    });
  });

  test("one source that the user names", async () => {
    const files = { ".env.example": "A=1\n", ".env": "B=1\n", "app.js": "process.env.C" };
    for (const from of ["example", "dotenv", "code"]) await expectContract(files, { options: { from: [from] } });
  });

  test("the built-in contract, and further variables", async () => {
    await expectContract({ ".env.example": "QDRANT_URL=\nMORE=\n" }, { options: { from: ["builtin", "example"] } });
    const cwd = repository({});
    const { stdout } = await runInit(cwd, { options: { from: ["builtin"] } });
    expectWording(stdout);
    expect(JSON.parse(textOf(cwd, "sophia.contract.json") ?? "")).toMatchObject({
      $schema: "./sophia.contract.schema.json",
      variables: { QDRANT_URL: {} },
    });
  });

  test("no variables, and says where it has searched", async () => {
    await expectContract({});
    await expectContract({ "package.json": "{}", ".env": "PATH=/bin\n" });
  });

  test("groups of a .env.example that docs wrote, whose contract is missing", async () => {
    const head =
      "# The environment variables of this repository; `sophia-run docs` writes this file from other.json.\n";
    const block = (label: string, name: string): string => `\n# (exactly one of ${label})\n${name}=\n`;
    const labels = ["Object storage", "object: STORAGE", "1st", "1ST!", `${"long ".repeat(20)}end`, "é"];
    const groups = labels.flatMap((label, index) => [block(label, `A${index}`), block(label, `B${index}`)]);
    await expectContract({ ".env.example": head + groups.join("") });
  });

  test("a .env.example of docs that names the contract from which it was written", async () => {
    const head = (contract: string): string =>
      `# The environment variables of this repository; \`sophia-run docs\` writes this file from ${contract}.\n\n# (required)\nA=\n`;
    await expectContract({ ".env.example": head("other.json"), "other.json": '{"variables":{"A":{}}}' });
    await expectContract({ ".env.sample": head("the built-in contract") });
    await expectContract({ "example.env": head("sophia.contract.json") });
    await expectContract({
      "SECRETS.md": "<!-- `sophia-run docs` writes this file from other.json -->\n",
      "other.json": '{"variables":{"A":{}}}',
    });
    await expectContract({ "SECRETS.md": "<!-- `sophia-run docs` writes this file from other.json -->\n" });
  });

  test("code with settings of build tools, tests, schemas and aliases", async () => {
    await expectContract({
      "vite.config.ts": "use(process.env.OF_TOOL, process.env.BOTH)",
      "webpack.prod.js": "use(process.env.OF_WEBPACK)",
      "src/main.ts": "use(process.env.BOTH, process.env.TESTED); if (process.env.TESTED) use();",
      "src/env.ts":
        'import { z } from "zod";\nz.object({ A: z.string().url(), B: z.coerce.number().default(1), C: z.string().optional() }).parse(process.env)',
      "tests/x.js": "process.env.OF_TESTS!",
      "src/a.spec.ts": "process.env.OF_SPEC!",
      "test_x.py": "import os\nos.environ['OF_PYTHON_TEST']\n",
      "main.py":
        "import os\nfrom dotenv import load_dotenv\nload_dotenv(override=True)\nos.environ['OF_PYTHON']\nos.getenv('MAYBE')\n",
      "settings.py":
        "from pydantic import AliasChoices, Field\nfrom pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    api_key: str = Field(validation_alias=AliasChoices('SERVICE_KEY', 'KEY'))\n",
    });
  });

  test("misspelled names, and many names", async () => {
    const names = Array.from({ length: 12 }, (_, index) => `SERVICE_${"ABCDEFGHIJKL".charAt(index).repeat(4)}_ADDRESS`);
    await expectContract({
      "app.js": names.map((name) => `process.env.${name};`).join("\n"),
      ".env.example": names.map((name) => `${name.replace("ADDRESS", "ADRESS")}=\n`).join(""),
    });
    const many = Array.from({ length: 102 }, (_, index) => `V${index}=\n`).join("");
    await expectContract({ ".env": many, ".env.example": `${"A".repeat(50)}=1\n` });
  });

  test("sources that cannot be read, and says which", async () => {
    await expectContract({ "secretspec.toml": "[x", ".env": "A=1\nnot a line\n", ".env.example": "B=1\n" });
    const cwd = repository({});
    for (const [source, message] of [
      ["example", "--from example: there is no .env.example"],
      [
        "tools",
        "--from tools: there is none of .env.schema, secretspec.toml, doppler.yaml, .infisical.json, .env.vault",
      ],
      ["dotenv", "--from dotenv: no .env file sets a variable"],
      ["esc", "--from esc: ESC_ENV and ESC_TOKEN are not both set"],
    ] as const)
      await expect(runInit(cwd, { options: { from: [source] } })).rejects.toMatchObject({
        code: "init-source",
        message,
        hint: "name another source, or leave --from out to use all that there are",
      });
  });
});

describe("init leaves a contract as it is", () => {
  test("and replaces the schema of an earlier version", async () => {
    const files = { "sophia.contract.json": '{"variables":{}}', ".env": "A=1\n" };
    const cwd = repository({ ...files, "sophia.contract.schema.json": "{}" });
    expectWording((await runInit(cwd)).stdout);
    expect(textOf(cwd, "sophia.contract.json")).toBe(files["sophia.contract.json"]);
    expect(textOf(cwd, "sophia.contract.schema.json")).toContain('"$schema"');
    expect((await runInit(cwd)).stdout).not.toContain("schema");
  });

  test("in a folder above, unless --from asks for one here", async () => {
    const cwd = repository({ "sophia.contract.json": '{"variables":{}}', "app/.env": "A=1\n" });
    expectWording((await runInit(join(cwd, "app"))).stdout);
    expectWording((await runInit(join(cwd, "app"), { options: { from: ["dotenv"] } })).stdout);
    expect(textOf(cwd, "app/sophia.contract.json")).toContain('"A": {}');
  });
});

describe("the schema for editors is that of the installed package", () => {
  const SCHEMA = "node_modules/sophia-run/schema/sophia.contract.schema.json";
  const addressIn = (cwd: string): unknown => Object(JSON.parse(textOf(cwd, "sophia.contract.json") ?? "")).$schema;

  test("in the project, or in the root of its workspace", async () => {
    const project = repository({ [SCHEMA]: "{}" });
    await runInit(project);
    expect(addressIn(project)).toBe(`./${SCHEMA}`);
    expect(textOf(project, "sophia.contract.schema.json")).toBeUndefined();
    const root = repository({ [SCHEMA]: "{}", "package.json": '{"workspaces":["a/*"]}', "a/b/package.json": "{}" });
    await runInit(join(root, "a/b"));
    expect(addressIn(join(root, "a/b"))).toBe(`../../${SCHEMA}`);
  });
});

describe("at a terminal init asks", () => {
  const ignored = { ".gitignore": ".env*\n" };
  const files = { ...ignored, ".env": "PORT=1\nHOST=a\nLEVEL=b\n" };

  test.each([
    ["numbers and names", ["1, HOST"]],
    ["all", ["ALL"]],
    ["nothing", [""]],
    ["the end of the input", [undefined]],
    ["a name that is misspelled, and a number that is not in the list", ["PROT 4 0 x", "all 1", " 3,,2 "]],
  ])("which variables are required: %s", async (_, answers) => {
    await expectContract(files, { answers });
  });

  test.each([
    ["the proposed ones", [""]],
    ["none", [" None "]],
    ["others", ["LATER"]],
  ])("which variables are required if the code reads them without a fallback: %s", async (_, answers) => {
    const code = { ...ignored, "app.js": "use(process.env.SOON, process.env.SOONER);\n", ".env": "LATER=1\n" };
    await expectContract(code, { answers });
  });

  test("and without a terminal, the variables that the code reads without a fallback become required", async () => {
    await expectContract({ "app.js": "use(process.env.SOON);\n" });
    await expectContract({ "app.js": "use(process.env.SOON, process.env.SOONER);\n" });
  });
});

test("init reads no example through a folder, and reports the failure", async () => {
  const cwd = folder();
  mkdirSync(join(cwd, ".env.example"));
  const { stdout } = await runInit(cwd);
  expect(unwrapLines(stdout)).toContain("not read: .env.example");
});

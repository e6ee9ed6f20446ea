import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseEnvSchema } from "../../../../src/commands/init/tools/env-schema.ts";
import { parseSecretspec } from "../../../../src/commands/init/tools/secretspec.ts";
import { loadContract } from "../../../../src/contract/find-contract.ts";
import { folder, sophia, sophiaRun, unwrapLines } from "../../../helpers/sophia.ts";
import { expectWording } from "../../../helpers/wording.ts";
import { SENTINEL } from "../../sophia-environment.ts";
import { foldersOf } from "../../../helpers/folders.ts";

const SCHEMA = `# @defaultSensitive=inferFromPrefix(PUBLIC_) @defaultRequired=infer
# @currentEnv=$APP_ENV
# ---

# The stage.
# @type=enum(development, staging, production) @public
APP_ENV=development # sets a default

# The port, for dev@example.test
# @type=port @example=3000 @sensitive=false
API_PORT=

# @type=url @public
API_URL=http://localhost:\${API_PORT}

# A key of the service.
# @required @type=string(startsWith=sk-) @docs("Keys", https://docs.example.test/keys)
API_KEY=exec('op read "op://vault/item/${SENTINEL}"')

PASSWORD=${SENTINEL}
PUBLIC_NAME="a name"
MAYBE= # @required=false
# @optional
FLAG=true
# @required
DSN=
HOME=/root
`;

const SPEC = `[project]
name = "app"
revision = "1.0"

[profiles.default] # all
DATABASE_URL = { description = "PostgreSQL", required = true }
API_KEY = { description = 'The "key"', default = "${SENTINEL}-key" }
"LOG_LEVEL" = { description = """
How much
is logged""", required = false, default = "info" }
[profiles.default.CACHE]
description = "Redis"
required = false
[profiles.production]
SENTRY_DSN = {
  description = "Errors", # needs TOML 1.1
  providers = ["one", "two"],
}
`;

test("init turns decorators of .env.schema into the details of a contract, and copies no secret and no computed value", async () => {
  const cwd = folder({ ".env.schema": SCHEMA });
  const { status, stdout } = await sophia(["init"], { cwd });
  expect(status).toBe(0);
  expect(stdout).toContain("9 variables from .env.schema");
  expectWording(stdout);
  const text = readFileSync(join(cwd, "sophia.contract.json"), "utf8");
  expect(text).not.toContain(SENTINEL);
  expect(JSON.parse(text)).toMatchObject({
    variables: {
      APP_ENV: {
        description: "The stage.",
        default: "development",
        format: { type: "enum", values: ["development", "staging", "production"] },
      },
      API_PORT: { description: "The port, for dev@example.test", format: "port", example: "3000" },
      API_URL: { required: true, secret: false, format: "url" },
      API_KEY: {
        description: "A key of the service.",
        required: true,
        docs: "https://docs.example.test/keys",
        format: { type: "text", prefix: "sk-" },
      },
      PASSWORD: { required: true },
      PUBLIC_NAME: { default: "a name" },
      MAYBE: {},
      FLAG: {},
      DSN: { required: true },
    },
  });
  const { variables, rules } = await loadContract({}, foldersOf(cwd));
  expect(variables.size).toBe(9);
  expect(rules.flatMap((rule) => (rule.kind === "required" ? rule.name : []))).toEqual([
    "API_URL",
    "API_KEY",
    "PASSWORD",
    "DSN",
  ]);
});

test("init turns the default profile of secretspec.toml into the contract, and takes names from other profiles", async () => {
  const cwd = folder({ "secretspec.toml": SPEC });
  const { stdout } = await sophia(["init", "--from", "tools"], { cwd });
  expectWording(stdout);
  const text = readFileSync(join(cwd, "sophia.contract.json"), "utf8");
  expect(text).not.toContain(SENTINEL);
  expect(Object(JSON.parse(text)).variables).toEqual({
    DATABASE_URL: { description: "PostgreSQL", required: true },
    API_KEY: { description: 'The "key"', required: true },
    LOG_LEVEL: { description: "How much\nis logged", default: "info" },
    CACHE: { description: "Redis" },
    SENTRY_DSN: { description: "Errors" },
  });
  expect((await loadContract({}, foldersOf(cwd))).variables.size).toBe(5);
});

test.each([
  ["doppler.yaml", "setup:\n  - project: backend\n    config: dev\n    path: ./\n", "project backend, config dev"],
  ["doppler.yaml", "setup:\n  project: one\n", "project one"],
  ["doppler.yaml", "setup: [", "doppler.yaml names"],
  [".infisical.json", '{"workspaceId":"63ee","defaultEnvironment":"dev"}', "project 63ee, environment dev"],
  [".infisical.json", "{", ".infisical.json names"],
  [".env.vault", `DOTENV_VAULT_PRODUCTION="${SENTINEL}"\nDOTENV_VAULT_CI_VERSION=2\n`, "environments production"],
])("init says what to do if %s names no variable: %j", async (name, text, found) => {
  const cwd = folder({ [name]: text });
  const { status, stdout } = await sophia(["init"], { cwd });
  expect(status).toBe(0);
  expect(stdout).toContain("no variables yet");
  expect(stdout).toContain(found);
  expect(stdout).not.toContain(SENTINEL);
  expectWording(stdout);
});

test("init names the file of each variable if there are several files", async () => {
  const cwd = folder({
    ".env.schema": "# @required\nONE=\n# @required\nBOTH=\n",
    "secretspec.toml": '[project]\nname = "shop"\n[profiles.default]\nBOTH = {}\nTWO = {}\n',
  });
  const { stdout } = await sophia(["init"], { cwd });
  expect(stdout).toMatch(/^ {2}ONE +required {2}\.env\.schema$/m);
  expect(stdout).toMatch(/^ {2}BOTH +required {2}\.env\.schema, secretspec\.toml$/m);
  expect(stdout).toMatch(/^ {2}TWO +required {2}secretspec\.toml$/m);
});

test("init reports a file that is not TOML, and reads the next source", async () => {
  const cwd = folder({ "secretspec.toml": "[profiles.default\n", ".env.example": "A=\n" });
  const { status, stdout } = await sophia(["init"], { cwd });
  expect(status).toBe(0);
  expect(stdout).toContain("1 variable from .env.example");
  expect(unwrapLines(stdout)).toContain(
    "secretspec.toml is not read: it is not TOML that init understands (line 1, column 18)",
  );
});

test("init --from tools fails without such a file, and lists the files", async () => {
  const { status, stderr } = await sophia(["init", "--from", "tools"], { cwd: folder() });
  expect(status).toBe(125);
  expect(stderr).toContain("secretspec.toml");
  expectWording(stderr);
});

test("import reads a pipe, as the command that init shows does", () => {
  const script = `"$@" import <(printf 'A="one"\\nKEY="op://v/i/f"\\n') --dry-run`;
  const result = spawnSync("bash", ["-c", script, "bash", ...sophiaRun], { cwd: folder(), encoding: "utf8" });
  expect(result.stderr).toMatch(/\/dev\/fd\/\d+:2: KEY is a reference/);
});

describe("reading .env.schema", () => {
  test.each([
    ["a header alone", "# @defaultRequired=true\n# ---\n"],
    ["prose with an equals sign", "# set A=b to begin\n"],
    ["nothing", ""],
  ])("finds no declaration in %s", (_, text) => expect(parseEnvSchema(text).candidates).toEqual([]));

  test("obeys @defaultRequired=false and =true for items that say nothing", () => {
    const required = (root: string) =>
      parseEnvSchema(`# ${root}\n# ---\nA=1\nB=\n`).candidates.map((one) => one.required);
    expect(required("@defaultRequired=true @defaultSensitive=false")).toEqual([false, true]);
    expect(required("@defaultRequired=true")).toEqual([true, true]);
    expect(required("@defaultRequired=false")).toEqual([false, false]);
  });

  test("ends for a value that is nested deeply or has no end", () => {
    expect(parseSecretspec(`a = ${"[".repeat(100_000)}`).candidates).toEqual([]);
    expect(parseSecretspec(`a = "${"\\\\".repeat(100_000)}`).candidates).toEqual([]);
  });
});

import { mkdirSync, readdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findExclusionReason } from "../../../src/commands/parts/code/exclusions.ts";
import { parseExample } from "../../../src/commands/init/example.ts";
import { findPythonReads } from "../../../src/commands/parts/code/python-reads.ts";
import type { VariableReads } from "../../../src/commands/parts/code/reads.ts";
import { findScriptReads } from "../../../src/commands/parts/code/script-reads.ts";
import { FAKE_TOKEN } from "../../contract/corpus.ts";
import { secret, startEscServer } from "../../esc-server/index.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";
import { addSophiaEnvironment, escVariables, SENTINEL, sentinelOf } from "../sophia-environment.ts";

const withoutPlaces = (reads: VariableReads) => reads.map(({ name, isRequired }) => [name, isRequired]);
const readProjectFile = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");
const contractOf = (cwd: string): unknown => JSON.parse(readProjectFile(cwd, "sophia.contract.json"));

describe("init finds variables:", () => {
  test("it uses all sources, and leaves out values that may be secrets", async () => {
    const cwd = folder({
      ".env.example": `# Where the API is.\nAPI_URL=https://api.test\nAPI_KEY=${sentinelOf("key")}\n# PORT=8080\nDEBUG=false\nDB=postgres://u:${SENTINEL}@h/d\n`,
      "app.js": "process.env.FROM_CODE; process.env.NODE_ENV; process.env.SOPHIA_OF_ITS_OWN; process.env.PORT!",
      ".env": `FROM_ENV=${SENTINEL}\nESC_ENV=acme/app/dev\nFROM_CODE=${SENTINEL}\n`,
      "package.json": '{"name":"@acme/shop"}',
    });
    const result = await sophia(["init"], { cwd });
    expect(result.status).toBe(0);
    expect(result.stdout).toContain("7 variables");
    for (const row of [
      "  API_URL    required  .env.example",
      "  PORT       required  .env.example, code",
      "  FROM_CODE  required  code, .env",
      "  FROM_ENV   optional  .env",
    ]) {
      expect(result.stdout.split("\n")).toContain(row);
    }
    expect(unwrapLines(result.stdout)).toMatch(
      /left out: NODE_ENV \(of the system, .*left out: SOPHIA_OF_ITS_OWN and ESC_ENV \(of sophia-run\)/s,
    );
    expectWording(result.stdout);
    expect(contractOf(cwd)).toMatchObject({
      name: "shop",
      variables: {
        API_URL: {
          description: "Where the API is.",
          required: true,
          example: "https://api.test",
          format: "url",
        },
        API_KEY: { required: true },
        PORT: { example: "8080", format: "port", required: true },
        FROM_CODE: { required: true },
        FROM_ENV: {},
        DEBUG: { required: true, example: "false", format: "boolean" },
        DB: { required: true },
      },
    });
    expect(readProjectFile(cwd, "sophia.contract.json")).not.toContain(SENTINEL);
    expect(result.stdout + result.stderr).not.toContain(SENTINEL);
    // The new contract is one: `docs` reads it.
    expect((await sophia(["docs", "SECRETS.md"], { cwd })).status).toBe(0);
  });

  test("it declares a variable public if its value is neither a secret nor an address", async () => {
    const cwd = folder({
      ".env.example": [
        "LEVEL=debug",
        "API_URL=https://api.test",
        "CACHE=redis://cache",
        "BROKERS=one.test:9092,two.test:9092",
        "REGION=your-region",
        "EMPTY=",
        `GHX=${FAKE_TOKEN}`,
        "",
      ].join("\n"),
    });
    expect(await sophia(["init"], { cwd })).toMatchObject({ status: 0 });
    expect(contractOf(cwd)).toMatchObject({ variables: { LEVEL: { secret: false, example: "debug" } } });
    expect(readProjectFile(cwd, "sophia.contract.json").match(/"secret"/g)).toHaveLength(1);
    expect(readProjectFile(cwd, "sophia.contract.json")).not.toContain(FAKE_TOKEN);
  });

  test("it accepts that addresses of .env.example may be the real ones: a copy of the file meets the new contract", async () => {
    const text = "LEVEL=debug\nAPI_URL=https://api.test\nCACHE=redis://cache:6379\nBROKERS=one.test:9092\n";
    const cwd = folder({ ".env.example": text, ".env": text });
    expect(await sophia(["init"], { cwd })).toMatchObject({ status: 0 });
    expect(await sophia(["--", "true"], { cwd })).toMatchObject({ status: 0, stderr: "" });
  });

  test("it takes for a secret in .env.example what import takes for one, and uses no such value as an example", async () => {
    const names = ["PGPASSWORD", "APIKEY", "DB_PASSPHRASE", "githubToken"];
    const cwd = folder({
      ".env.example": `${names.map((name) => `${name}=${SENTINEL}`).join("\n")}
TLS="-----BEGIN PRIVATE KEY-----"
DATABASE_URL=postgres://user:<password>@host/db
`,
    });
    await sophia(["init"], { cwd });
    expect(contractOf(cwd)).toMatchObject({
      variables: {
        ...Object.fromEntries([...names, "TLS"].map((name) => [name, { required: true }])),
        DATABASE_URL: { example: "postgres://user:<password>@host/db" },
      },
    });
    expect(readProjectFile(cwd, "sophia.contract.json")).not.toMatch(new RegExp(`"secret"|PRIVATE KEY|${SENTINEL}`));
  });

  test("it takes only names from ESC, and opens nothing", async () => {
    await using server = await startEscServer();
    addSophiaEnvironment(server);
    const cwd = folder();
    const result = await sophia(["init"], { cwd, env: escVariables(server) });
    expect(result.status).toBe(0);
    expect(contractOf(cwd)).toMatchObject({
      variables: {
        QDRANT_API_KEY: {},
        LOG_LEVEL: { secret: false },
        GOOGLE_APPLICATION_CREDENTIALS: {},
      },
    });
    // Without a terminal init cannot ask, and a contract that requires too much keeps programs from starting.
    expect(unwrapLines(result.stdout)).toMatch(/none is required yet; .*"QDRANT_URL": \{ "required": true \}/s);
    expectWording(result.stdout);
    expect(readProjectFile(cwd, "sophia.contract.json")).not.toMatch(
      new RegExp(`required|${SENTINEL}|qdrant\\.example`),
    );
    expect(server.count("open")).toBe(0);
    expect((await sophia(["check"], { cwd, env: escVariables(server) })).status).toBe(0);
  });

  test("it reads code, but skips packages, hidden folders, links, binary and large files", async () => {
    const cwd = folder({
      "app.ts": "const { LISTED } = process.env; use(process.env.NAMED, process.env.PATH);",
      "big.js": `${" ".repeat(1024 * 1024)}process.env.BIG_ONE`,
      "binary.js": "\0process.env.BINARY",
      "main.py": 'import os\nos.environ["NEEDED"]\nos.getenv("WANTED")\n',
      "notes.txt": "process.env.NOTES",
    });
    for (const name of ["node_modules", ".hidden", "src"]) {
      mkdirSync(join(cwd, name));
      writeFileSync(join(cwd, name, "x.js"), `process.env.IN_${name.replaceAll(/\W/g, "").toUpperCase()}`);
    }
    // A folder of that name is only skipped if it is an environment of Python.
    for (const [name, marker] of [
      ["env", "pyvenv.cfg"],
      ["src/env", "index.ts"],
    ] as const) {
      mkdirSync(join(cwd, name));
      writeFileSync(join(cwd, name, marker), "");
      writeFileSync(join(cwd, name, "read.js"), `process.env.IN_${name.replaceAll(/\W/g, "_").toUpperCase()}`);
    }
    symlinkSync(cwd, join(cwd, "loop"));
    const result = await sophia(["init", "--from", "code"], { cwd });
    expect(result.status).toBe(0);
    expect(contractOf(cwd)).toMatchObject({
      variables: { IN_SRC: {}, IN_SRC_ENV: {}, LISTED: {}, NAMED: {}, NEEDED: { required: true }, WANTED: {} },
    });
    expect(readProjectFile(cwd, "sophia.contract.json")).not.toMatch(
      /BIG_ONE|BINARY|IN_ENV|IN_NODE|IN_HIDDEN|NOTES|PATH/,
    );
  });

  test("it joins several sources, and reports a missing one as an error", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/dev", { values: { FROM_ESC: secret("x"), BOTH: secret("x") } });
    const cwd = folder({ ".env.example": "# Told here.\n# BOTH=\n" });
    const result = await sophia(["init", "--from", "example", "--from", "esc"], {
      cwd,
      env: escVariables(server, "acme/app/dev"),
    });
    expect(result.stdout).toContain("2 variables");
    expectWording(result.stdout);
    expect(contractOf(cwd)).toMatchObject({
      variables: { BOTH: { description: "Told here." }, FROM_ESC: {} },
    });

    const empty = folder();
    for (const args of [
      ["--from", "esc"],
      ["--from", "example"],
      ["--from", "dotenv"],
      ["--from", "nonsense"],
    ]) {
      const failed = await sophia(["init", ...args], { cwd: empty });
      expect(failed.status).toBe(125);
    }
    expect(readdirSync(empty)).toEqual([]);
  });
});

describe("init and the files of the project:", () => {
  const files = {
    "sophia.contract.json": '{"variables":{"A":{}}}',
    "package.json":
      '{\n    "scripts": {\n        "start": "node server.js",\n        "dev": "A=1 vite && b"\n    }\n}\n',
    Dockerfile: 'FROM node\nENTRYPOINT ["docker-entry.sh"]\n',
    ".devcontainer.json": '{ "image": "x" }\n',
  };

  test("it changes no existing file, and prints the lines to add", async () => {
    const cwd = folder(files);
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(stdout).toContain('  "start": "sophia-run -- node server.js"\n');
    expect(stdout).toContain(`  "dev": "sophia-run -- sh -c 'A=1 vite && b'"\n`);
    expect(stdout).toContain('  ENTRYPOINT ["sophia-run", "--", "docker-entry.sh"]\n');
    expect(stdout).toContain('  "postStartCommand": "sophia-run check",\n');
    expectWording(stdout);
    for (const [name, text] of Object.entries(files)) expect(readProjectFile(cwd, name)).toBe(text);
    expect(readdirSync(cwd).toSorted()).toEqual(Object.keys(files).toSorted());
  });

  test("--edit-scripts changes the scripts once and keeps the indentation", async () => {
    const cwd = folder(files);
    const { stdout } = await sophia(["init", "--edit-scripts"], { cwd });
    expect(readProjectFile(cwd, "package.json")).toBe(
      files["package.json"]
        .replace("node server", "sophia-run -- node server")
        .replace("A=1 vite && b", "sophia-run -- sh -c 'A=1 vite && b'"),
    );
    // The report has the lines as they are in the file, whatever the command is called here.
    const lines = readProjectFile(cwd, "package.json").match(/"(?:start|dev)": .*"/g) ?? [];
    expect(stdout).toContain(`changed package.json: it now has\n${lines.map((line) => `  ${line}\n`).join("")}`);
    expect((await sophia(["init", "--edit-scripts"], { cwd })).stdout).toContain("package.json uses");
  });

  test.each([
    [{}, "package.json: not changed because there is none"],
    [{ "package.json": "{}" }, "package.json: not changed because it has no script start, dev or serve"],
  ])("--edit-scripts says why it changes nothing: %o", async (own, reason) => {
    const { status, stdout } = await sophia(["init", "--edit-scripts"], { cwd: folder(own) });
    expect(status).toBe(0);
    expect(unwrapLines(stdout)).toContain(reason);
  });
});

describe("init reads", () => {
  test.each(["CI", "GITHUB_EVENT_PATH", "RUNNER_OS", "ACTIONS_CACHE_URL", "SOPHIA_MODE", "with-dash"])(
    "no variable of the project from %s",
    (name) => expect(findExclusionReason(name)).toBeDefined(),
  );
  test.each(["GITHUB_TOKEN", "API_URL"])("a variable of the project from %s", (name) =>
    expect(findExclusionReason(name)).toBeUndefined(),
  );

  test.each([
    ["process.env.A", [["A", false]]],
    ["process.env['A']", [["A", false]]],
    ['process.env["A"]!', [["A", true]]],
    ["process.env?.A", [["A", false]]],
    ["process.env.A!.length", [["A", true]]],
    ["import.meta.env.VITE_A", [["VITE_A", false]]],
    [
      "const { A, B: b, C = 1, ...rest } = process.env",
      [
        ["A", false],
        ["B", false],
        ["C", false],
      ],
    ],
    ["process.env[name]", []],
    ["myprocess.env.A", []],
    [
      "const env = process.env;\nenv.A; env['B']; x.env.C; env.name; myenv.D",
      [
        ["A", false],
        ["B", false],
      ],
    ],
    ["const { env } = process\nconst { A } = env", [["A", false]]],
    ['import { env } from "node:process";\nenv.A!', [["A", true]]],
    ['import { argv, env as e } from "process";\ne.A; env.B', [["A", false]]],
    ["const env = process.env.A;\nenv.B", [["A", false]]],
    ["const env = load();\nenv.A", []],
    [
      'import { ConfigService } from "@nestjs/config";\nthis.configService.get<string>("A"); config.getOrThrow("B"); config.get("db.host")',
      [
        ["A", false],
        ["B", true],
      ],
    ],
    ['configService.get("A")', []],
    ["process.env.A !== 'x'", [["A", false]]],
    ["const a = process.env.A ?? fail('A');", [["A", true]]],
    ["const a = process.env.A || raise(new Error('A'));", [["A", true]]],
    ["const a = process.env.A ?? (() => { throw new Error('A') })();", [["A", true]]],
    ["const a = process.env.A ?? 'x';", [["A", false]]],
    ["if (!process.env.A) throw new Error('A');", [["A", true]]],
    ["if (!process.env['A']) { console.error('no A'); process.exit(1); }", [["A", true]]],
    ["if (process.env.A === undefined) {\n  throw new Error('A');\n}", [["A", true]]],
    ["if (!process.env.A) { log('default'); }", [["A", false]]],
    ["if (process.env.A) throw new Error('A');", [["A", false]]],
    [
      "if (!process.env.A || !process.env['B'] || !process.env.C) {\n  throw new Error('A, B and C');\n}",
      [
        ["A", true],
        ["B", true],
        ["C", true],
      ],
    ],
    [
      "if (!process.env.A && !process.env.B) throw new Error('A or B');",
      [
        ["A", false],
        ["B", false],
      ],
    ],
    [
      "const { A, B } = process.env;\nif (!A || !B) throw new Error();",
      [
        ["A", true],
        ["B", true],
      ],
    ],
    [
      "assert(process.env.A, 'A'); assert.ok(process.env.B); invariant(process.env.C)",
      [
        ["A", true],
        ["B", true],
        ["C", true],
      ],
    ],
    [
      "const a = process.env.A;\nif (!a) throw new Error();\nconst b = process.env.B;\nif (!b) return;",
      [
        ["A", true],
        ["B", false],
      ],
    ],
    [
      "const { A, B: b, C } = process.env;\nif (!A || !b) throw new Error();\nassert(b);",
      [
        ["A", true],
        ["B", true],
        ["C", false],
      ],
    ],
    ["const { A } = process.env;\nif (typeof A === 'undefined') process.exit(2);", [["A", true]]],
    [
      "requireEnv('A'); getEnvOrThrow('B'); require('C')",
      [
        ["A", true],
        ["B", true],
      ],
    ],
    [
      "import env from 'env-var';\nenv.get('A').required().asString();\nenv.get('B').default('x').required(false)",
      [
        ["A", true],
        ["B", false],
      ],
    ],
    [
      `import { z } from "zod";
const schema = z.object({
  A: z.string().url(),
  B: z.coerce.number().int().default(3000),
  C: z.string().min(1, "must not be empty, please").optional(),
  D: z
    .enum(["x", "y"]),
  notOne: z.string(),
});
export const env = schema.parse(process.env);`,
      [
        ["A", true],
        ["B", false],
        ["C", false],
        ["D", true],
      ],
    ],
    ['import { z } from "zod";\nexport const body = z.object({ A: z.string() });', []],
    [
      `import { createEnv } from "@t3-oss/env-nextjs";
import { z } from "zod";
export const env = createEnv({
  server: { A: z.string().min(1), B: z.string().optional() },
  client: { NEXT_PUBLIC_C: z.string() },
  experimental__runtimeEnv: { NEXT_PUBLIC_C: process.env.NEXT_PUBLIC_C },
});`,
      [
        ["A", true],
        ["B", false],
        ["NEXT_PUBLIC_C", true],
        ["NEXT_PUBLIC_C", false],
      ],
    ],
    [
      `import { cleanEnv, str, port } from "envalid";
cleanEnv(process.env, { A: str(), B: port({ default: 3000 }), C: str({ choices: ["x", "y"] }) });`,
      [
        ["A", true],
        ["B", false],
        ["C", true],
      ],
    ],
    [
      `import Joi from "joi";
const validationSchema = Joi.object({ A: Joi.string().required(), B: Joi.number() });`,
      [
        ["A", true],
        ["B", false],
      ],
    ],
    [
      `import * as v from "valibot";
v.parse(v.object({ A: v.pipe(v.string(), v.url()), B: v.optional(v.string(), "x") }), process.env);`,
      [
        ["A", true],
        ["B", false],
      ],
    ],
  ] as const)("the environment in JavaScript: %s", (text, reads) => {
    expect(withoutPlaces(findScriptReads(text))).toEqual(reads);
  });

  test.each([
    ['os.environ["A"]', [["A", true]]],
    ["os.environ['A'] = 'x'", []],
    ["os.environ['A'] == 'x'", [["A", true]]],
    ['os.environ.get("A", "x")', [["A", false]]],
    ["os.getenv('A')", [["A", false]]],
    ["from os import environ, getenv; environ['A']", [["A", true]]],
    [
      "from decouple import config, Csv\nA = config('A')\nB = config('B', default=1)\nmyconfig('C')",
      [
        ["A", true],
        ["B", false],
      ],
    ],
    ["config('A')", []],
    [
      "import os, environ\nenv = environ.Env()\nenv('A'); env.int('B', default=1); other('C')",
      [
        ["A", true],
        ["B", false],
      ],
    ],
    ["import environ\nenv = environ.Env(A=(bool, False))\nenv('A')", [["A", false]]],
    [
      `import environ
env = environ.Env(
    # set casting, default value
    DEBUG=(bool, False),
    PORT=int,
)
env("DEBUG"); env("PORT"); env("A"); env.db(); env.cache(default="locmemcache://"); env.db_url("B"); env.str("C", "c")
`,
      [
        ["DEBUG", false],
        ["PORT", true],
        ["A", true],
        ["DATABASE_URL", true],
        ["CACHE_URL", false],
        ["B", true],
        ["C", false],
      ],
    ],
    ["import environ\nenv = environ.Env(**SCHEME)\nenv('A')", [["A", false]]],
    ["from .base import *  # noqa\nfrom .base import DATABASES, env\nenv('A')", [["A", true]]],
    ["from environs import Env\nenv = Env()\nwith env.prefixed('X_'): env('A')", []],
    ["env('A')", []],
    [
      `from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    """Text.

    first: of the text
    """
    model_config = SettingsConfigDict(env_prefix="app_")

    database_url: str  # a comment
    port: int = 8000
    key: SecretStr | None = None
    other: Other = Other()
    renamed: str = Field(alias="X")
    described: str = Field(..., description="x")
    long: str = Field(
        validation_alias="Y",
    )

    def method(self) -> str:
        local: str = "x"
        return local

class Model(BaseModel):
    name: str
`,
      [
        ["APP_DATABASE_URL", true],
        ["APP_PORT", false],
        ["APP_KEY", false],
        ["X", true],
        ["APP_DESCRIBED", true],
        ["Y", true],
      ],
    ],
    [
      "from pydantic import BaseSettings\nclass S(BaseSettings):\n    a: str\n    class Config:\n        env_prefix = PREFIX\n",
      [],
    ],
    ["from pydantic import BaseSettings\nclass S(BaseSettings):\n    a: str\nb: str\n", [["A", true]]],
    ["class S(BaseSettings):\n    a: str\n", []],
    [
      "import pydantic_settings as p\nclass S(p.BaseSettings):\n    model_config = p.SettingsConfigDict(case_sensitive=True)\n    a_b: str\n",
      [["a_b", true]],
    ],
    [
      "import pydantic_settings\nclass B(BaseSettings):\n    class Config:\n        env_prefix = 'X_'\n\nclass S(B):\n    a: str\n",
      [["X_A", true]],
    ],
    ["import pydantic_settings\nclass S(BaseSettings, env_prefix='X_'):\n    a: str\n", [["X_A", true]]],
    [
      "import pydantic_settings\nclass S(BaseSettings):\n    model_config = {'env_prefix': 'X_'}\n    a: str\n",
      [["X_A", true]],
    ],
    ["import pydantic_settings\nclass S(BaseSettings, env_prefix=PREFIX):\n    a: str\n", []],
    [
      `from pydantic import AnyUrl, BaseModel, Field, PostgresDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

class Limits(BaseModel):
    most: int

class Common(BaseSettings):
    environment: Literal["dev", "prod"]

class Settings(Mixin, Common):
    model_config = SettingsConfigDict(env_file=".env")

    database_url: PostgresDsn
    redis: Annotated[str, Field(min_length=1)]
    origins: list[AnyUrl] = []
    secret_key: SecretStr = Field(
        description="Signs (and more), for all",
    )
    workers: PositiveInt = Field(default=4, ge=1)
    tags: dict[str, str] = Field(default_factory=dict)
    limits: Limits
    api_key: str = Field(validation_alias=AliasChoices("SERVICE_KEY", "KEY"))
    debug: ClassVar[bool] = False
`,
      [
        ["ENVIRONMENT", true],
        ["DATABASE_URL", true],
        ["REDIS", true],
        ["ORIGINS", false],
        ["SECRET_KEY", true],
        ["WORKERS", false],
        ["TAGS", false],
        ["SERVICE_KEY", true],
      ],
    ],
    ['key = os.getenv("A")\nif not key:\n    raise RuntimeError("A")\n', [["A", true]]],
    ['key: str | None = os.environ.get("A")\n\nif key is None:\n    sys.exit("no A")\n', [["A", true]]],
    ['key = os.getenv("A")\nassert key, "A is not set"\n', [["A", true]]],
    ['if not (key := os.getenv("A")):\n    raise SystemExit(1)\n', [["A", true]]],
    ['if not os.getenv("A"):\n    raise SystemExit(1)\n', [["A", true]]],
    ['assert os.getenv("A")', [["A", true]]],
    ['key = os.getenv("A") or fail("A")', [["A", true]]],
    ['key = os.getenv("A") or "x"\nif not key:\n    print("none")\n', [["A", false]]],
    ['key = os.getenv("A", "x")\nif not key:\n    raise ValueError\n', [["A", false]]],
    [
      'from starlette.config import Config\nconfig = Config(".env")\nconfig("A", cast=Secret); config("B", cast=bool, default=False)',
      [
        ["A", true],
        ["B", false],
      ],
    ],
    [
      "from decouple import config\nconfig('A', cast=int)\nconfig('B', 1)",
      [
        ["A", true],
        ["B", false],
      ],
    ],
  ] as const)("the environment in Python: %s", (text, reads) => {
    expect(withoutPlaces(findPythonReads(text))).toEqual(reads);
  });

  test("code once for each other name of the environment", () => {
    const text = `import environ\n${"env = environ.Env()\n".repeat(3)}env("A")\n`;
    expect(withoutPlaces(findPythonReads(text))).toEqual([["A", true]]);
  });

  test("many classes of settings in linear time", () => {
    const classes = Array.from({ length: 20_000 }, (_, index) => {
      const base = index === 0 ? "BaseSettings" : `C${index - 1}`;
      return `class C${index}(${base}):\n    a: int\n`;
    });
    const start = performance.now();
    expect(findPythonReads(`import pydantic\n${classes.join("")}`)).toHaveLength(20_000);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test(".env.example in its many forms", () => {
    const text =
      "\uFEFF# ---- Title ----\n\n# About A,\n# in two lines.\nexport A='x y' # no\r\nB=your-key\nTOKEN=abc\n#C=1\n# see a=b\nPATH=x\nA=2\n";
    expect(parseExample(text)).toEqual([
      { name: "A", required: true, description: "About A, in two lines.", example: "x y" },
      { name: "B", required: true, example: "your-key" },
      { name: "TOKEN", required: true },
      { name: "C", required: false, isOptional: true, example: "1" },
      { name: "PATH", required: true, description: "see a=b", example: "x" },
    ]);
  });
});

test("init writes nothing through a symbolic link", async () => {
  const cwd = folder({ ".env.example": "API_URL=\n", "real.json": '{"scripts":{"start":"node x"}}' });
  symlinkSync("real.json", join(cwd, "package.json"));
  symlinkSync("nowhere", join(cwd, "sophia.contract.json"));
  const dangling = await sophia(["init"], { cwd });
  expect(dangling.status).toBe(125);
  expect(unwrapLines(dangling.stderr)).toContain("sophia.contract.json is");
  expect(readdirSync(cwd)).not.toContain("nowhere");
  unlinkSync(join(cwd, "sophia.contract.json"));
  const edited = await sophia(["init", "--edit-scripts"], { cwd });
  expect(edited.status).toBe(125);
  expect(edited.stderr).toContain("package.json is");
  expect(readProjectFile(cwd, "real.json")).toBe('{"scripts":{"start":"node x"}}');
});

test("init takes nothing from another project by a link out of the repository", async () => {
  const cwd = folder({ "other/values": "HOST=sentinel.example.test\n", "clone/kept": "" });
  const clone = join(cwd, "clone");
  mkdirSync(join(clone, ".git"));
  const names = [".env", ".env.example", ".env.schema"];
  for (const name of names) symlinkSync("../other/values", join(clone, name));
  const { status, stdout } = await sophia(["init"], { cwd: clone });
  expect(status).toBe(0);
  for (const name of names) expect(unwrapLines(stdout)).toContain(`not read: ${name} is a link to`);
  expect(stdout + readProjectFile(clone, "sophia.contract.json")).not.toMatch(/sentinel|HOST/);
  unlinkSync(join(clone, "sophia.contract.json"));
  const named = await sophia(["init", "--from", "example"], { cwd: clone });
  expect(named).toMatchObject({ status: 125, stdout: "" });
  writeFileSync(join(clone, "values"), "HOST=within.example.test\n");
  unlinkSync(join(clone, ".env.example"));
  symlinkSync("values", join(clone, ".env.example"));
  expect((await sophia(["init"], { cwd: clone })).status).toBe(0);
  expect(readProjectFile(clone, "sophia.contract.json")).toContain("within.example.test");
});

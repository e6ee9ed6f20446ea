import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cleanPath } from "../../helpers/pack.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { sentinelOf } from "../sophia-environment.ts";

interface Entry {
  readonly required?: boolean;
  readonly format?: unknown;
  readonly aliases?: readonly string[];
}

function variablesIn(cwd: string): Readonly<Record<string, Entry>> {
  const { variables } = Object(JSON.parse(readFileSync(join(cwd, "sophia.contract.json"), "utf8")));
  return Object(variables);
}

const EXPRESS = {
  "src/server.js": `require("dotenv").config();
const express = require("express");
const { createClient } = require("redis");
const redis = createClient({ url: process.env.REDIS_URL });
const port = Number(process.env.PORT) || 3000;
if (process.env.SENTRY_DSN) require("./sentry");
express().listen(port);
`,
  "src/env.ts": `import { z } from "zod";
export const env = z.object({
  DATABASE_URL: z.string().url(),
  WORKERS: z.coerce.number().int().min(1).max(64).default(4),
  LEVEL: z.enum(["debug", "info"]).default("info"),
  ADMIN: z.email(),
}).parse(process.env);
`,
  "test/server.test.js": "connect(process.env.TEST_DATABASE); fail(process.env.TEST_KEY!);",
};

describe("a contract from code", () => {
  const expected = {
    ADMIN: { required: true, format: "email" },
    DATABASE_URL: { required: true, format: "url" },
    LEVEL: { format: { type: "enum", values: ["debug", "info"] } },
    PORT: { format: "port" },
    REDIS_URL: { required: true },
    SENTRY_DSN: {},
    TEST_DATABASE: {},
    TEST_KEY: {},
    WORKERS: { format: { type: "integer", minimum: 1, maximum: 64 } },
  };

  test("is the same whether there is a .env or not, and has none of its values", async () => {
    const without = folder(EXPRESS);
    expect((await sophia(["init"], { cwd: without })).status).toBe(0);
    expect(variablesIn(without)).toEqual(expected);
    const key = sentinelOf("dsn");
    const filesOfProject = folder({
      ...EXPRESS,
      ".env": `PORT=8080\nSENTRY_DSN=${key}\nWORKERS=4\nREDIS_URL=redis://u:${key}@cache:6379\n`,
    });
    const { stdout } = await sophia(["init"], { cwd: filesOfProject });
    expect(variablesIn(filesOfProject)).toEqual({ ...expected, REDIS_URL: { required: true, format: "url" } });
    expect(stdout + readFileSync(join(filesOfProject, "sophia.contract.json"), "utf8")).not.toContain(key);
    // The port is not hidden.
    expect((await sophia(["check"], { cwd: filesOfProject })).stdout).toContain("PORT: 8080");
  });

  test("guesses no port from a name whose value is a path", async () => {
    const cwd = folder({ "a.js": "process.env.USB_PORT ?? 1", ".env": "USB_PORT=/dev/ttyUSB0\n" });
    await sophia(["init"], { cwd });
    expect(variablesIn(cwd)).toEqual({ USB_PORT: {} });
  });

  test("requires what the code reads without a fallback, and says how to change that", async () => {
    const cwd = folder(EXPRESS);
    const { stdout } = await sophia(["init"], { cwd });
    expect(unwrapLines(stdout)).toContain(
      'REDIS_URL: required, since the code reads it without a fallback (src/server.js:4); to make one optional, remove its "required": true',
    );
    const refused = await sophia(["--", "true"], { cwd });
    expect(refused.status).toBe(78);
    expect(refused.stderr).toContain("REDIS_URL is required and not set");
  });

  test.each([
    ["\n", ["A", "B"]],
    ["2 3\n", ["B", "C"]],
    ["all\n", ["A", "B", "C"]],
    ["none\n", []],
  ])("proposes at a terminal: %j", async (answer, required) => {
    const cwd = folder({ "app.js": "connect(process.env.A, process.env.B); start(process.env.C ?? 'x')" });
    const { status, stdout } = await atTerminal(["init"], { cwd, env: { PATH: cleanPath } }, [["`none`: ", answer]]);
    expect(status).toBe(0);
    expect(stdout).toContain("   1  * A\r\n   2  * B\r\n   3    C\r\n");
    const chosen = Object.entries(variablesIn(cwd)).flatMap(([name, entry]) => (entry.required === true ? [name] : []));
    expect(chosen).toEqual(required);
  });

  test("asks nothing at a terminal about what a schema calls optional", async () => {
    const cwd = folder({
      "env.ts": `import { z } from "zod";
export const env = z.object({ A: z.string(), B: z.string().default("x"), C: z.string().optional() }).parse(process.env);
`,
      "config.py": "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    d: int = 1\n",
      ".env": "C=1\n",
    });
    const { status, stdout } = await atTerminal(["init"], { cwd, env: { PATH: cleanPath } }, []);
    expect(status).toBe(0);
    expect(stdout).not.toContain("Which of these");
    expect(variablesIn(cwd)).toEqual({ A: { required: true }, B: {}, C: {}, D: { format: "integer" } });
  });

  test("has the types of pydantic, which the settings.py of docs has again", async () => {
    const cwd = folder({
      "app/config.py": `from typing import Annotated, Literal
from pydantic import AliasChoices, Field, HttpUrl, PostgresDsn
from pydantic_settings import BaseSettings, SettingsConfigDict

class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="APP_", env_file=".env")

    database_url: PostgresDsn
    debug: bool = False
    workers: Annotated[int, Field(ge=1)] = 4
    stage: Literal["dev", "prod"] = "dev"
    api: HttpUrl = Field(validation_alias=AliasChoices("API_URL", "SERVICE_URL", "APP_DEBUG"))
`,
    });
    expect((await sophia(["init"], { cwd })).status).toBe(0);
    expect(variablesIn(cwd)).toMatchObject({
      APP_DATABASE_URL: { required: true, format: { type: "url" } },
      APP_DEBUG: { format: "boolean" },
      APP_WORKERS: { format: { type: "integer", minimum: 1 } },
      APP_STAGE: { format: { type: "enum", values: ["dev", "prod"] } },
      // A name of another variable is no alias.
      API_URL: { required: true, format: { type: "url", schemes: ["http", "https"] }, aliases: ["SERVICE_URL"] },
    });
    expect((await sophia(["docs", "settings.py"], { cwd })).status).toBe(0);
    const settings = readFileSync(join(cwd, "settings.py"), "utf8");
    expect(settings).toContain("app_debug: bool");
    expect(settings).toContain("app_workers: int");
    expect(settings).toContain('app_stage: Literal["dev", "prod"]');
    const env = { APP_DATABASE_URL: "postgresql+asyncpg://u:p@h/d", SERVICE_URL: "https://api.test" };
    expect(await sophia(["--", "true"], { cwd, env })).toMatchObject({ status: 0 });
  });
});

describe("variables that no code reads", () => {
  const files = { "app.js": "createClient({ url: process.env.REDIS_URL })" };

  test.each([
    [".env", "# here\nREDIS_URI=redis://x\n", ".env:2"],
    [".env.example", "REDIS_URI=\n", ".env.example:1"],
  ])(
    "are pointed out by init if they resemble a variable that is read and not declared: %s",
    async (name, text, place) => {
      const cwd = folder({ ...files, [name]: text });
      const { stdout } = await sophia(["init"], { cwd });
      expect(unwrapLines(stdout)).toContain(
        `REDIS_URI (${place}) is left out: no code reads it; did you mean REDIS_URL, which app.js:1 reads?`,
      );
      expect(Object.keys(variablesIn(cwd))).toEqual(["REDIS_URL"]);
    },
  );

  test("are declared if the similar name has a source of its own", async () => {
    const cwd = folder({ ...files, ".env": "REDIS_URI=redis://x\nREDIS_URL=redis://y\n" });
    await sophia(["init"], { cwd });
    expect(Object.keys(variablesIn(cwd)).toSorted()).toEqual(["REDIS_URI", "REDIS_URL"]);
  });

  test("are pointed out by a refused start, with the line, and by check if nothing is required", async () => {
    const contract = (required: boolean): string => JSON.stringify({ variables: { REDIS_URL: { required } } });
    const cwd = folder({ ".env": "\nREDIS_URI=redis://x\n", "sophia.contract.json": contract(true) });
    const refused = await sophia(["--", "true"], { cwd });
    expect(refused.status).toBe(78);
    expect(refused.stderr).toContain("did you mean REDIS_URL? REDIS_URI is set in .env, line 2");
    writeFileSync(join(cwd, "sophia.contract.json"), contract(false));
    const { stdout } = await sophia(["check"], { cwd });
    expect(stdout).toContain("⚠️ REDIS_URI (.env, line 2) is not declared: did you mean REDIS_URL?\n");
  });

  test("are pointed out by check --code", async () => {
    const cwd = folder({ ...files, "sophia.contract.json": '{\n"variables": {\n"REDIS_URI": {}\n}}' });
    const { stdout } = await sophia(["check", "--code"], { cwd });
    expect(stdout).toContain("⚠️ REDIS_URI: sophia.contract.json:3 (the code reads REDIS_URL)\n");
  });
});

test("init reports an empty value as empty, with its line", async () => {
  const cwd = folder({ "app.js": "createClient({ url: process.env.REDIS_URL })", ".env": "# here\nREDIS_URL=\n" });
  const { stdout } = await sophia(["init"], { cwd });
  expect(stdout).toContain("  empty, so not set: REDIS_URL (.env:2)\n");
  const refused = await sophia(["--", "true"], { cwd });
  expect(refused).toMatchObject({ status: 78 });
  expect(refused.stderr).toContain("REDIS_URL is required and empty (.env, line 2)");
  expect((await sophia(["check"], { cwd })).stdout).toContain("REDIS_URL: Empty (.env, line 2)\n");
  const set = await sophia(["--", "true"], { cwd, env: { REDIS_URL: "" } });
  expect(set.stderr).toContain("REDIS_URL is required and empty in the environment");
});

describe("init finds code that reads .env by itself", () => {
  test.each([
    ["a.js", 'require("dotenv").config();'],
    ["a.mjs", 'import "dotenv/config";'],
    ["a.ts", 'import * as dotenv from "dotenv";\ndotenv.config({ path: ".env.local" });'],
    ["a.ts", 'import { config } from "dotenv";\nconfig();'],
    ["a.py", "from dotenv import load_dotenv\nload_dotenv()"],
    ["a.py", "import dotenv\ndotenv.load_dotenv(override=False)"],
  ])("which may continue to do so: %s, %s", async (name, text) => {
    const { stdout } = await sophia(["init"], { cwd: folder({ [name]: `${text}\n` }) });
    const line = text.split("\n").length;
    const call = name === "a.py" ? "load_dotenv" : "dotenv";
    expect(unwrapLines(stdout)).toContain(
      `${name}:${line}: ${call} may stay: it does not replace what sophia-run has set`,
    );
    expect(stdout).not.toContain("remove");
  });

  test.each([
    ["a.js", 'require("dotenv").config({\n  override: true,\n});', "override: true of dotenv"],
    ["a.py", "from dotenv import load_dotenv\nload_dotenv('.env', override=True)", "override=True of load_dotenv"],
  ])("and says that it must not replace what is set: %s, %s", async (name, text, what) => {
    const { stdout } = await sophia(["init"], { cwd: folder({ [name]: `${text}\n` }) });
    expect(unwrapLines(stdout)).toContain(`remove ${what}: it replaces what sophia-run has checked`);
  });

  test.each([
    ["a.js", 'const config = require("./config"); config();'],
    ["a.js", '// require("dotenv").config()'],
    ["a.py", "# from dotenv import load_dotenv\n# load_dotenv()"],
  ])("and does not find it in other code: %s, %s", async (name, text) => {
    const { stdout } = await sophia(["init"], { cwd: folder({ [name]: `${text}\n` }) });
    expect(stdout).not.toMatch(/may stay|remove/);
  });
});

test("init requires nothing that only a folder of tests reads", async () => {
  const cwd = folder({ "app.js": "process.env.A ?? 'x'" });
  mkdirSync(join(cwd, "tests"));
  writeFileSync(join(cwd, "tests", "conftest.py"), 'import os\nos.environ["B"]\n');
  await sophia(["init"], { cwd });
  expect(variablesIn(cwd)).toEqual({ A: {}, B: {} });
});

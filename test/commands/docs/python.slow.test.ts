import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { notInstalled, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia } from "../../helpers/sophia.ts";
import { sentinelOf, SENTINEL } from "../sophia-environment.ts";

const CONTRACT = {
  variables: {
    API_URL: { required: true, format: "url", label: 'The "API" \\', description: 'Line """ one.\nLine two.' },
    API_KEY: { required: true },
    LEVEL: { default: "in\u2028fo", format: { type: "enum", values: ["in\u2028fo", "debug"] } },
    PORT: { default: "08080", format: "port" },
    RATIO: { default: "1e-3", format: "number" },
    DEBUG: { format: "boolean", secret: false },
    COUNT: { format: "integer" },
    JSON: {},
    CLASS: { secret: false },
    _X: {},
    x: {},
  },
};

const SHOW = `
import json, settings
try:
    found = settings.Settings.from_environment()
except settings.SettingsError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"values": vars(found), "shown": repr(found)}))
`;

function loadSettings(cwd: string, env: Readonly<Record<string, string>>): unknown {
  // Without -I, which would leave the folder out.
  return JSON.parse(
    execFileSync("python3", ["-B", "-c", SHOW], {
      cwd,
      env: { PATH: process.env["PATH"], PYTHONUTF8: "1", ...env },
      encoding: "utf8",
    }),
  );
}

describe("docs --types python", () => {
  skipBecause(notInstalled("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 10))"));

  test("writes a module that reads the environment with types and hides secrets", async () => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT) });
    const written = await sophia(["docs", "--types", "python"], { cwd, env: { API_KEY: SENTINEL } });
    expect(written).toMatchObject({ status: 0, stdout: "wrote SECRETS.md\nwrote .env.example\nwrote settings.py\n" });
    const env = {
      API_URL: "https://api.test",
      API_KEY: sentinelOf("key"),
      DEBUG: "Off",
      COUNT: "-7",
      JSON: "",
      x: "1",
    };
    expect(loadSettings(cwd, { ...env, LEVEL: "debug" })).toEqual({
      values: {
        api_url: "https://api.test",
        api_key: sentinelOf("key"),
        level: "debug",
        port: 8080,
        ratio: 0.001,
        debug: false,
        count: -7,
        json_: null,
        class_: null,
        x: null,
        x_: "1",
      },
      shown: "Settings(level='debug', port=8080, ratio=0.001, debug=False, class_=None)",
    });
    expect(loadSettings(cwd, env)).toMatchObject({ values: { level: "in\u2028fo" } });
    expect(loadSettings(cwd, { API_KEY: " ", PORT: SENTINEL, DEBUG: SENTINEL, LEVEL: SENTINEL })).toEqual({
      error: expect.stringMatching(/API_URL is not set; API_KEY is not set; LEVEL .*; PORT .*; DEBUG /),
    });
  });

  test("updates its own module later, and does not replace a module of the user", async () => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT), "settings.py": "MINE = 1\n" });
    expect((await sophia(["docs"], { cwd })).stdout).not.toContain("settings.py");
    expect(await sophia(["docs", "--types", "python"], { cwd })).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("settings.py was not"),
    });
    await sophia(["docs", "--types", "python", "--force"], { cwd });
    writeFileSync(join(cwd, "sophia.contract.json"), JSON.stringify({ variables: { NEW: { required: true } } }));
    const stale = await sophia(["docs", "--check"], { cwd });
    expect(stale.stderr).toContain("settings.py");
    await sophia(["docs"], { cwd });
    expect(loadSettings(cwd, { NEW: "1" })).toEqual({ values: { new: "1" }, shown: "Settings()" });
    expect(readdirSync(cwd)).not.toContain("env.d.ts");
  });

  test("writes a class of pydantic-settings if the project depends on pydantic-settings, or with --types pydantic", async () => {
    const cwd = folder({ "sophia.contract.json": JSON.stringify(CONTRACT) });
    const text = (): string => readFileSync(join(cwd, "settings.py"), "utf8");
    await sophia(["docs", "--types", "pydantic"], { cwd });
    expect(text()).toContain("class Settings(BaseSettings):");
    // The style is kept until --types names another.
    expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
    await sophia(["docs", "--types", "python"], { cwd });
    expect(text()).toContain("@dataclass");
    writeFileSync(join(cwd, "pyproject.toml"), 'dependencies = ["pydantic_settings>=2"]\n');
    expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
    await sophia(["docs", "--types", "python"], { cwd });
    expect(text()).toContain("class Settings(BaseSettings):");
    const compiled = spawnSync(
      "python3",
      ["-c", "compile(open('settings.py', encoding='utf-8').read(), 'settings.py', 'exec')"],
      { cwd },
    );
    expect(compiled.status).toBe(0);
  });
});

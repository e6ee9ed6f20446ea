/** docs/frameworks/fastapi.md, with FastAPI, uvicorn, pydantic-settings, python-dotenv, watchfiles and pytest. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeProject, type Project, pythonBin, readPage } from "../../helpers/frameworks.ts";
import { notInstalled, notLinux, notNightly, skipBecause } from "../../helpers/skip.ts";

const page = readPage("fastapi");
const SECRET = "sentinel-0a1b2c3d4e";
const DOTENV = `DATABASE_URL=postgresql://app:${SECRET}@one.test/app\n`;
const CHANGED = DOTENV.replace("one.test", "two.test");
const [dev = "", reload = "", workers = ""] = page.block("bash", "fastapi dev").trim().split("\n");

function createFastApiProject(files: Readonly<Record<string, string>> = {}): Promise<Project> {
  const pages = {
    "sophia.contract.json": page.block("json", '"variables"'),
    "main.py": page.block("python", "FastAPI"),
  };
  const bin = pythonBin(join(import.meta.dirname, "fastapi.txt"));
  return makeProject({ ...pages, ".env": DOTENV, ...files }, { bin });
}

describe("FastAPI with sophia-run", { timeout: 300_000 }, () => {
  skipBecause(notLinux ?? notNightly ?? notInstalled("python3", "-c", "import ensurepip, venv"));

  test.each([dev, reload, workers])("serves by %s, and ends all processes on Ctrl-C", async (command) => {
    const { serve, port } = await createFastApiProject();
    const server = serve(`${command} --port ${port}`);
    await server.showing("hello from one.test");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("restarts by --reload for changed code with the former values", async () => {
    const { serve, port, write } = await createFastApiProject();
    const server = serve(`${reload} --port ${port}`);
    await server.showing("hello from one.test");
    write(".env", CHANGED);
    write("main.py", page.block("python", "FastAPI").replace("} from", "} again from"));
    await server.showing("hello again from one.test");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("is restarted by watchfiles with sophia-run, which reads and checks a changed .env", async () => {
    const { serve, port, write } = await createFastApiProject();
    const command = page.block("bash", "watchfiles").trim();
    const server = serve(command.replace('main:app"', `main:app --port ${port}"`));
    await server.showing("hello from one.test");
    write(".env", "");
    await server.seen(/DATABASE_URL is required and not set/);
    write(".env", CHANGED);
    await server.showing("hello from two.test");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("refuses a start without a value, as the page shows it", async () => {
    const { run } = await createFastApiProject({ ".env": "" });
    const refused = await run(dev);
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expect(refused.stderr).toContain(page.blocks("text")[0]);
  });

  test("shows a malformed value by pydantic, not by sophia-run", async () => {
    const DATABASE_URL = `postgres//app:${SECRET}@one.test/app`;
    const { run } = await createFastApiProject({ ".env": "" });
    const pydantic = await run("GREETING=x python3 -c 'import main'", { DATABASE_URL });
    expect(pydantic.stderr).toContain(SECRET);
    const refused = await run(reload, { DATABASE_URL });
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expect(refused.stderr).toContain("DATABASE_URL");
    expect(refused.stderr).not.toContain(SECRET);
  });

  test("keeps the values of sophia-run with env_file, and refuses variables that the class lacks", async () => {
    const withFile = page.block("python", "FastAPI").replace("(BaseSettings):\n", '(BaseSettings, env_file=".env"):\n');
    const { run, write } = await createFastApiProject({ "main.py": withFile });
    const command = "sophia-run -- python3 -c 'import main; print(main.index())'";
    const DATABASE_URL = "postgresql://app@shell.test/app";
    expect(await run(command, { DATABASE_URL })).toMatchObject({ status: 0, stdout: "hello from shell.test\n" });
    write(".env", `${DOTENV}OTHER=1\n`);
    const refused = await run(command, { DATABASE_URL });
    expect(refused.stderr).toContain("Extra inputs are not permitted");
    write("main.py", page.block("python", "FastAPI"));
    expect(await run(command, { DATABASE_URL })).toMatchObject({ status: 0, stdout: "hello from shell.test\n" });
  });

  test("keeps the values of sophia-run with load_dotenv, and loses them to its override", async () => {
    const { run } = await createFastApiProject();
    const printed = async (call: string): Promise<string> => {
      const script = `import os, dotenv; dotenv.load_dotenv(".env"${call}); print(os.environ["DATABASE_URL"])`;
      const DATABASE_URL = "postgresql://app@shell.test/app";
      return (await run(`sophia-run -- python3 -c '${script}'`, { DATABASE_URL })).stdout;
    };
    expect(await printed("")).toContain("shell.test");
    expect(await printed(", override=True")).toContain("one.test");
  });

  test("lets named files win in their order, and each must exist", async () => {
    const { run, serve, port, write } = await createFastApiProject();
    const [, command = ""] = /`(sophia-run --dotenv [^`]+)`/.exec(page.text) ?? [];
    expect(await run(command)).toMatchObject({ status: 125 });
    write(".env.local", "DATABASE_URL=postgresql://app@local.test/app\n");
    const server = serve(`${command} --port ${port}`);
    await server.showing("hello from local.test");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("needs no value for pytest", async () => {
    const { run } = await createFastApiProject({
      ".env": "",
      "test_main.py": `
from fastapi.testclient import TestClient
from main import app


def test_index():
    assert TestClient(app).get("/").json().startswith("hello from ")
`,
    });
    const result = await run(page.block("bash", "pytest").trim());
    expect(result, result.stdout + result.stderr).toMatchObject({ status: 0 });
    expect(result.stdout).toContain("1 passed");
  });
});

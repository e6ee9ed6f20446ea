/** docs/frameworks/django.md, with a project of django-admin, django-environ, gunicorn, pytest-django and watchfiles. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeProject, type Project, pythonBin, readPage } from "../../helpers/frameworks.ts";
import { notInstalled, notLinux, notNightly, skipBecause } from "../../helpers/skip.ts";

const page = readPage("django");
const requirements = join(import.meta.dirname, "django.txt");
const SECRET = "sentinel-0a1b2c3d4e".repeat(3);
const REST = "DATABASE_URL=sqlite:///one.sqlite3\n";
const DOTENV = `DJANGO_SECRET_KEY=${SECRET}\n${REST}`;
const CHANGED = DOTENV.replace("one.", "two.");
const [dev = "", migrate = "", production = ""] = page.block("bash", "migrate").trim().split("\n");

const URLS = `
from django.conf import settings
from django.http import HttpResponse
from django.urls import path


def index(request):
    return HttpResponse(f"{settings.DATABASES['default']['NAME']}, debug {settings.DEBUG}")


urlpatterns = [path("", index)]
`;

const READ_ENV = `env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")
`;

const TEST = `
import pytest
from django.contrib.auth.models import User


@pytest.mark.django_db
def test_users(client):
    User.objects.create_user("ada")
    assert client.get("/").status_code == 200
`;

/** A project of `django-admin startproject`, with the page's lines in its settings. */
async function createDjangoProject(dotenv = DOTENV): Promise<Project> {
  const createdProject = await makeProject({ ".env": dotenv }, { bin: pythonBin(requirements) });
  expect(await createdProject.run("django-admin startproject config .")).toMatchObject({ status: 0 });
  const written = readFileSync(join(createdProject.cwd, "config/settings.py"), "utf8");
  const replacedSettings = /^SECRET_KEY = .*\n|^DEBUG = .*\n|^DATABASES = \{\n(?: .*\n)*\}\n/gm;
  expect(written.match(replacedSettings)).toHaveLength(3);
  const more = 'ALLOWED_HOSTS = ["*"]\nSTATIC_ROOT = BASE_DIR / "collected"\n';
  createdProject.write(
    "config/settings.py",
    `${written.replaceAll(replacedSettings, "")}\n${page.block("python", "environ.Env")}${more}`,
  );
  createdProject.write("config/urls.py", URLS);
  createdProject.write("sophia.contract.json", page.block("json", '"variables"'));
  return createdProject;
}

describe("Django with sophia-run", { timeout: 300_000 }, () => {
  skipBecause(notLinux ?? notNightly ?? notInstalled("python3", "-c", "import ensurepip, venv"));

  test("serves by runserver, restarts for changed code with the former values, and ends all processes on Ctrl-C", async () => {
    const { serve, port, write } = await createDjangoProject(`${DOTENV}DJANGO_DEBUG=true\n`);
    const server = serve(`${dev} ${port}`);
    await server.showing("one.sqlite3, debug True");
    write(".env", CHANGED);
    write("config/urls.py", URLS.replace("debug", "again debug"));
    await server.showing("one.sqlite3, again debug True");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("keeps the former values with runserver alone as well, if settings.py reads .env", async () => {
    const { serve, port, write, cwd } = await createDjangoProject(`${DOTENV}DJANGO_DEBUG=true\n`);
    const settings = readFileSync(join(cwd, "config/settings.py"), "utf8");
    write("config/settings.py", settings.replace("env = environ.Env()\n", READ_ENV));
    const server = serve(`python manage.py runserver ${port}`);
    await server.showing("one.sqlite3, debug True");
    write(".env", `${CHANGED}DJANGO_DEBUG=true\n`);
    write("config/urls.py", URLS.replace("debug", "again debug"));
    await server.showing("one.sqlite3, again debug True");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("gives migrate and gunicorn the values, and gunicorn ends all processes on Ctrl-C", async () => {
    const { cwd, run, serve, port } = await createDjangoProject();
    const migrated = await run(migrate);
    expect(migrated, migrated.stderr).toMatchObject({ status: 0 });
    expect(existsSync(join(cwd, "one.sqlite3"))).toBe(true);
    const server = serve(`${production} --workers 2 --bind 127.0.0.1:${port}`);
    await server.showing("one.sqlite3, debug False");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("is restarted by watchfiles with sophia-run, which reads and checks a changed .env", async () => {
    const { serve, port, write } = await createDjangoProject();
    const command = page.block("bash", "watchfiles").trim();
    const server = serve(command.replace("--noreload", `--noreload ${port}`));
    await server.showing("one.sqlite3");
    write(".env", REST);
    await server.seen(/DJANGO_SECRET_KEY is required and not set/);
    write(".env", CHANGED);
    await server.showing("two.sqlite3");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("refuses a start without a key, as the page shows it, and with a key that is too short", async () => {
    const { run, write } = await createDjangoProject(REST);
    const refused = await run(dev);
    expect(refused).toMatchObject({ status: 78, stdout: "" });
    expect(refused.stderr).toContain(page.blocks("text")[0]);
    write(".env", `DJANGO_SECRET_KEY=short-sentinel\n${REST}`);
    const short = await run(dev);
    expect(short).toMatchObject({ status: 78, stdout: "" });
    expect(short.stderr).toContain("DJANGO_SECRET_KEY");
    expect(short.stderr).not.toContain("short-sentinel");
    const environment = {
      DJANGO_SECRET_KEY: "short-sentinel",
      DATABASE_URL: "sqlite:///one.sqlite3",
      DJANGO_DEBUG: "false",
    };
    expect(await run("python manage.py check", environment)).toMatchObject({ status: 0 });
  });

  test("keeps the values of sophia-run with read_env and load_dotenv, unless they overwrite", async () => {
    const { run } = await createDjangoProject();
    const printed = async (call: string): Promise<string> => {
      const script = `import environ, dotenv, os; ${call}; print(os.environ["DATABASE_URL"])`;
      return (await run(`sophia-run -- python -c '${script}'`, { DATABASE_URL: "sqlite:///shell.sqlite3" })).stdout;
    };
    expect(await printed('environ.Env.read_env(".env")')).toContain("shell.");
    expect(await printed('dotenv.load_dotenv(".env")')).toContain("shell.");
    expect(await printed('environ.Env.read_env(".env", overwrite=True)')).toContain("one.");
    expect(await printed('dotenv.load_dotenv(".env", override=True)')).toContain("one.");
  });

  test("lets named files win in their order, and each must exist", async () => {
    const { run, serve, port, write } = await createDjangoProject();
    const [, command = ""] = /`(sophia-run --dotenv [^`]+)`/.exec(page.text) ?? [];
    expect(await run(command)).toMatchObject({ status: 125 });
    write(".env.local", "DATABASE_URL=sqlite:///local.sqlite3\n");
    const server = serve(`${command} ${port}`);
    await server.showing("local.sqlite3");
    expect(await server.interrupt()).toMatchObject({ status: 0 });
  });

  test("needs no value for collectstatic and pytest", async () => {
    const { cwd, run, write } = await createDjangoProject("");
    const collected = await run(page.block("bash", "collectstatic").trim());
    expect(collected, collected.stderr).toMatchObject({ status: 0 });
    expect(existsSync(join(cwd, "collected/admin"))).toBe(true);
    write("config/test_settings.py", page.block("python", ":memory:"));
    write("test_users.py", TEST);
    const result = await run(page.block("bash", "pytest").trim());
    expect(result, result.stdout + result.stderr).toMatchObject({ status: 0 });
    expect(result.stdout).toContain("1 passed");
  });
});

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { npmScripts, startsNpm } from "../../../src/commands/init/scripts.ts";
import { readDevcontainer } from "../../helpers/devcontainer.ts";
import { readWorkflow } from "../../helpers/workflow.ts";
import { folder, sophia } from "../../helpers/sophia.ts";

const root = join(import.meta.dirname, "../../..");
const read = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");
const CONTRACT = { "sophia.contract.json": '{"variables":{"A":{}}}' };
const MANIFEST = '{ "dependencies": { "sophia-run": "^0.1.0" } }\n';

describe("in a project that npm installs", () => {
  const files = { ...CONTRACT, "package.json": MANIFEST, "package-lock.json": "{}" };

  test("the Dockerfile and the .dockerignore are those of the example, which README.md shows", async () => {
    const cwd = folder(files);
    const { stdout } = await sophia(["init"], { cwd });
    for (const name of ["Dockerfile", ".dockerignore"]) {
      expect(stdout).toContain(`created ${name}\n`);
      // The check of its health is for the server of the example.
      const example = read(join(root, "examples/docker"), name).replace(/# .*\nHEALTHCHECK .*\n\n/, "");
      expect(read(cwd, name)).toBe(example);
    }
  });

  test("one that has sophia-run from a tarball copies that, too", async () => {
    const cwd = folder({ ...files, "package.json": MANIFEST.replace("^0.1.0", "file:sophia-run-0.1.0.tgz") });
    await sophia(["init"], { cwd });
    expect(read(cwd, "Dockerfile")).toContain("COPY package*.json sophia-run-0.1.0.tgz ./\n");
  });

  test("the devcontainer is the example's, with the check for its command", async () => {
    const cwd = folder(files);
    await sophia(["init"], { cwd });
    const name = ".devcontainer/devcontainer.json";
    expect(read(cwd, name).replace(/"name": ".*"/, '"name": "Sophia"')).toBe(
      read(join(root, "examples/devcontainer"), name).replace("sophia-run -- node setup.js", "sophia-run check"),
    );
    expect(readDevcontainer(join(cwd, name)).postStartCommand).toBe("sophia-run check");
  });

  test("the workflow checks as this repository's own does; there is one only with .github", async () => {
    const cwd = folder(files);
    await sophia(["init"], { cwd });
    expect(existsSync(join(cwd, ".github"))).toBe(false);
    mkdirSync(join(cwd, ".github"));
    const { stdout } = await sophia(["init"], { cwd });
    expect(stdout).toContain("created .github/workflows/configuration.yml\n");
    const made = readWorkflow(join(cwd, ".github/workflows/configuration.yml"));
    const own = readWorkflow(join(root, ".github/workflows/checks.yml"));
    expect(made.permissions).toEqual(own.permissions);
    const job = own.steps.slice(own.steps.findIndex(({ id }) => id === "secrets"));
    expect(
      made.steps.map(({ run, ...step }) => ({ ...step, run: run?.replace("node_modules/.bin/", "bin/") })),
    ).toEqual(job.filter(({ run }) => run !== "npm run build").map((step) => ({ ...step, run: step.run })));
    // A workflow of the repository's own that runs it already is enough.
    const other = folder(files);
    mkdirSync(join(other, ".github/workflows"), { recursive: true });
    writeFileSync(join(other, ".github/workflows/ci.yaml"), "run: npx sophia-run check");
    await sophia(["init"], { cwd: other });
    expect(readdirSync(join(other, ".github/workflows"))).toEqual(["ci.yaml"]);
  });

  test("nothing that is written calls npx, which asks a registry for what is not installed", async () => {
    const cwd = folder(files);
    mkdirSync(join(cwd, ".github"));
    const { stdout } = await sophia(["init"], { cwd });
    const names = ["Dockerfile", ".devcontainer/devcontainer.json", ".github/workflows/configuration.yml"];
    for (const text of [stdout, ...names.map((name) => read(cwd, name))]) expect(text).not.toContain("npx");
  });
});

describe("what a project has no use for is neither created nor mentioned", () => {
  test.each([
    ["only Python", { "main.py": 'import os\nos.environ["A"]\n' }],
    ["another package manager", { "package.json": MANIFEST, "pnpm-lock.yaml": "" }],
  ])("%s", async (_, files) => {
    const cwd = folder({ ...CONTRACT, ...files });
    mkdirSync(join(cwd, ".github"));
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(stdout).not.toMatch(/Dockerfile|devcontainer|workflows/);
    expect(stdout.includes("package.json")).toBe("package.json" in files);
    expect(readdirSync(cwd).toSorted()).toEqual([".github", ...Object.keys({ ...CONTRACT, ...files })].toSorted());
    expect(readdirSync(join(cwd, ".github"))).toEqual([]);
  });

  test("docs writes no types without a package.json, and keeps those that are there up to date", async () => {
    const cwd = folder(CONTRACT);
    expect((await sophia(["docs"], { cwd })).status).toBe(0);
    expect(readdirSync(cwd).toSorted()).toEqual([".env.example", "SECRETS.md", "sophia.contract.json"]);
    expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
    writeFileSync(join(cwd, "package.json"), "{}");
    expect((await sophia(["docs", "--check"], { cwd })).stderr).toContain("env.d.ts (missing)");
  });

  test("existing files of a Python project get lines that hold without npm", async () => {
    const cwd = folder({ ...CONTRACT, Dockerfile: "FROM python:3\n", ".devcontainer.json": "{}" });
    const { stdout } = await sophia(["init"], { cwd });
    expect(stdout).toContain('\nDockerfile: add\n  ENTRYPOINT ["sophia-run", "--"]\n');
    expect(stdout).toContain('"postStartCommand": "sophia-run check",\n');
    expect(stdout).not.toMatch(/npm|node_modules/);
  });
});

describe("pyproject.toml", () => {
  const project = (more: string): string => `[project]\nname = "sophia-run-demo"\n${more}\n`;

  test.each([
    {
      of: "uv",
      files: { "pyproject.toml": project('dependencies = ["fastapi", "uvicorn>=0.30"]'), "uv.lock": "" },
      says: [
        "\npyproject.toml: sophia-run is not among its dependencies; run\n  uv add sophia-run\n",
        "\npyproject.toml: start programs by\n  uv run sophia-run -- uvicorn main:app\n",
        '"postCreateCommand": "uv sync",\n',
        '"postStartCommand": "uv run sophia-run check",\n',
      ],
    },
    {
      of: "Poetry, with the dependency",
      files: { "pyproject.toml": project('[tool.poetry.dependencies]\nsophia-run = "^0.1"\npytest = "*"') },
      says: ["pyproject.toml uses sophia-run already\n", "  poetry run sophia-run -- pytest\n"],
    },
    {
      of: "pip",
      files: { "requirements.txt": "gunicorn==27.0.1\n", "app.py": "", Dockerfile: "FROM python:3.13-slim\n" },
      says: [
        "\nrequirements.txt: sophia-run is not among its dependencies; add\n  sophia-run\n  (then pip install sophia-run)\n",
        "  sophia-run -- gunicorn app:app\n  (no Python starts for it; sophia-run docs --types python writes",
        '\nDockerfile: add\n  RUN pip install --no-cache-dir sophia-run\n  ENTRYPOINT ["sophia-run", "--"]\n',
        '"postCreateCommand": "pip install sophia-run",\n',
      ],
    },
    {
      of: "pip, with a list of dependencies",
      files: { "pyproject.toml": project("dependencies = []"), "manage.py": "" },
      says: ['; add\n  "sophia-run",\n  (then pip install sophia-run)\n', "  sophia-run -- python manage.py\n"],
    },
  ])("$of", async ({ files, says }) => {
    const cwd = folder({ ...CONTRACT, ".devcontainer.json": "{}", ...files });
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    for (const one of says) expect(stdout).toContain(one);
    expect(stdout).not.toMatch(/npm|node_modules/);
  });
});

describe("package.json", () => {
  const advice = (text: string, startsByNpm = false): string =>
    npmScripts(text, { edit: false, startsByNpm })
      .map((place) => ("lines" in place ? [place.title, ...place.lines, place.remark].join("\n") : place.kind))
      .join("\n");

  test.each([
    ["{}", /not among its dependencies; run\nnpm install --save-prod sophia-run/],
    [
      '{"devDependencies":{"sophia-run":"1"}}',
      /images leave out devDependencies.*\nnpm install --save-prod sophia-run/,
    ],
    ["{", /not a JSON object/],
  ])("%s", (text, words) => {
    expect(advice(text)).toMatch(words);
  });

  test("a script that an image or a supervisor starts by npm says exec", () => {
    const manifest = '{"dependencies":{"sophia-run":"1"},"scripts":{"start":"node a.js"}}';
    expect(advice(manifest)).toBe('\n"start": "sophia-run -- node a.js"\n');
    expect(advice(manifest, true)).toMatch(
      /^\n"start": "exec sophia-run -- node a\.js"\nexec: .*cmd of Windows has no exec$/,
    );
  });

  test.each([
    ['CMD ["npm", "start"]', true],
    ["CMD npm run serve", true],
    ['ENTRYPOINT [ "yarn", "start" ]', true],
    ["web: npm start", true],
    ['CMD ["node", "server.js"]', false],
    ["RUN npm ci", false],
    ["web: node npm.js", false],
  ])("%s starts npm: %s", (text, expected) => {
    expect(startsNpm(undefined, text)).toBe(expected);
  });
});

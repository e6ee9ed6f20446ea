/** The files that init creates for the tools of a project, and the lines that it prints for files that exist. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pythonPackageArgument, VERSION } from "../../../src/commands/parts/package-source.ts";
import { PYTHON_TOOLS } from "../../../src/commands/init/python.ts";
import { expectWording } from "../../helpers/wording.ts";
import { changedFiles, repository, runInit, textOf } from "./run-init.ts";

const CONTRACT = { "sophia.contract.json": '{"variables":{"A":{}}}' };
const WITH_ESC = { "sophia.contract.json": '{"environment":"acme/app/dev","variables":{"A":{}}}' };
const manifest = (more: object = {}): string =>
  JSON.stringify({ private: true, dependencies: { "sophia-run": "1" }, ...more });
/** The name of the wheel for this computer, and the version, which the output has. */
const VARYING = { [PYTHON_TOOLS.uv.add?.slice("uv add ".length) ?? ""]: "<wheel>", [VERSION]: "<version>" };

/** Runs init, and compares its output and all files that it has created or changed. */
async function expectFiles(
  files: Readonly<Record<string, string>>,
  extras: readonly string[] = ["docker", "devcontainer", "actions"],
): Promise<void> {
  const cwd = repository(files);
  const { stdout } = await runInit(cwd, { options: { with: extras } });
  expectWording(stdout, VARYING);
  expect(
    changedFiles(cwd, { ...files, ".devcontainer/devcontainer.json": files[".devcontainer/devcontainer.json"] ?? "" }),
  ).toMatchSnapshot();
}

describe("init sets up a project of", () => {
  test.each([
    ["npm", { "package-lock.json": "" }, {}],
    ["pnpm", { "pnpm-lock.yaml": "" }, {}],
    ["Yarn 1", { "yarn.lock": "# yarn lockfile v1\n" }, {}],
    ["Yarn 3", { "yarn.lock": "__metadata:\n  version: 6\n" }, {}],
    ["Yarn 4", { "yarn.lock": "__metadata:\n  version: 8\n" }, {}],
    ["a named Yarn", { "yarn.lock": "" }, { packageManager: "yarn@4.1.0" }],
    ["Bun", { "bun.lockb": "" }, {}],
  ])("%s", async (_, locks, more) => {
    const scripts = { start: "node dist/server.js", build: "tsc" };
    await expectFiles({ ...CONTRACT, ...locks, "package.json": manifest({ scripts, ...more }) });
  });

  test.each(["actions", "actions-oidc", "auth-actions"])("npm whose values are in ESC, with %s", async (workflow) => {
    const files = { ...WITH_ESC, "package.json": manifest(), "package-lock.json": "", "server.js": "" };
    await expectFiles(files, ["devcontainer", workflow]);
  });

  test.each(["actions-oidc", "auth-actions"])("npm whose contract names no environment, with %s", async (workflow) => {
    await expectFiles({ ...CONTRACT, "package.json": manifest(), "package-lock.json": "" }, [workflow]);
  });

  test("npm without a build script, with patches, tarballs, a prepare script and further files", async () => {
    const dependencies = { "sophia-run": "file:./sophia-run-1.0.0.tgz", other: "other-1.tar.gz", third: "^1.0.0" };
    const files = {
      ...CONTRACT,
      "package.json": manifest({
        dependencies,
        scripts: { prepare: "husky", start: "sophia-run --strict -- node server.js" },
      }),
      "package-lock.json": "",
      "server.js": "",
    };
    await expectFiles(files, ["docker"]);
    await expectFiles({ ...files, "patches/a.patch": "" }, ["docker"]);
    await expectFiles({ ...files, ".dockerignore": "x\n" }, ["docker"]);
    const linked = { ...dependencies, shared: "link:../shared" };
    await expectFiles({ ...files, "package.json": manifest({ dependencies: linked }) }, ["docker"]);
  });

  test("a workspace", async () => {
    const cwd = repository({
      "package.json": manifest({
        workspaces: ["packages/*"],
        dependencies: { "sophia-run": "1" },
        scripts: { build: "make" },
      }),
      "package-lock.json": "",
      "packages/app/package.json": manifest({ dependencies: {}, scripts: { start: "node server.js" } }),
      "packages/app/server.js": "",
    });
    const before = changedFiles(cwd, {});
    const { stdout } = await runInit(`${cwd}/packages/app`, {
      options: { with: ["docker", "devcontainer", "actions"] },
    });
    expectWording(stdout);
    expect(changedFiles(cwd, before)).toMatchSnapshot();
  });

  test("pnpm with a workspace, from its root", async () => {
    const files = {
      ...CONTRACT,
      "package.json": manifest({ dependencies: {}, scripts: { start: "node server.js" } }),
      "pnpm-workspace.yaml": "packages:\n  - 'apps/*'\n",
      "pnpm-lock.yaml": "",
      "server.js": "",
    };
    await expectFiles(files, ["docker"]);
  });

  test.each([
    [
      "uv",
      { "pyproject.toml": "[project]\nname='shop'\ndependencies = ['uvicorn', 'celery']\n[tool.uv]\n", "app.py": "" },
    ],
    ["Poetry", { "pyproject.toml": "[tool.poetry]\nname='shop'\n[tool.poetry.dependencies]\nsophia-run = '*'\n" }],
    ["PDM", { "pyproject.toml": "", "pdm.lock": "" }],
    ["pip and pyproject.toml", { "pyproject.toml": "[project]\ndependencies = ['Django', 'pytest']\n" }],
    ["pip and requirements.txt", { "requirements.txt": "gunicorn\n", "server.py": "" }],
  ])("Python with %s", async (_, files) => {
    await expectFiles({ ...CONTRACT, ...files }, ["docker", "devcontainer", "actions"]);
  });

  test("Python whose Dockerfile and devcontainer exist", async () => {
    await expectFiles({
      ...WITH_ESC,
      "requirements.txt": "sophia-run\n",
      Dockerfile: "FROM python\nCMD python main.py\n",
      ".devcontainer.json": '{ "postCreateCommand": "make", }',
    });
  });
});

describe("init creates no file", () => {
  test.each([
    ["that packages are not pinned in", { "package.json": manifest(), "server.js": "" }],
    ["that has no program", { "package.json": manifest(), "package-lock.json": "" }],
    [
      "of a workflow that runs sophia-run already",
      { "package.json": manifest(), "package-lock.json": "", ".github/workflows/ci.yml": "sophia-run check" },
    ],
    [
      "that exists",
      {
        "package.json": manifest(),
        "package-lock.json": "",
        Dockerfile: "FROM node\nCMD sophia-run -- node x\n",
        ".devcontainer/devcontainer.json": "{}",
      },
    ],
  ])("%s", async (_, files) => {
    await expectFiles({ ...CONTRACT, ...files });
  });

  test("of a workflow outside of the root of the repository, and no image with the contract of a folder above", async () => {
    const cwd = repository({
      ...CONTRACT,
      "app/package.json": manifest(),
      "app/package-lock.json": "",
      "app/server.js": "",
    });
    const { stdout } = await runInit(`${cwd}/app`, { options: { with: ["docker", "actions"] } });
    expectWording(stdout);
  });
});

test("the wheel in the advice for Python is the one for this computer", () => {
  const tag = /-py3-none-(.*)\.whl$/.exec(PYTHON_TOOLS.uv.add ?? "")?.[1] ?? "";
  expect(PYTHON_TOOLS.uv.add).toBe(`uv add ${pythonPackageArgument(tag)}`);
  expect(tag).toContain(process.arch === "arm64" ? "aarch64" : "x86_64");
});

test.each([
  ["file:a-1.tgz", "COPY package*.json a-1.tgz sophia-run-*.tgz ./"],
  ["./a.tar.gz", "COPY package*.json a.tar.gz sophia-run-*.tgz ./"],
  ["my-a@file:./a.tgz", "COPY package*.json a.tgz sophia-run-*.tgz ./"],
  ["sophia-run-1.tgz", "COPY package*.json sophia-run-*.tgz ./"],
  ["x-sophia-run-1.tgz", "COPY package*.json x-sophia-run-1.tgz sophia-run-*.tgz ./"],
  ["sophia-run-1.tar.gz", "COPY package*.json sophia-run-1.tar.gz sophia-run-*.tgz ./"],
  ["../a.tgz", "COPY package*.json sophia-run-*.tgz ./"],
  ["a.tgz.old", "COPY package*.json sophia-run-*.tgz ./"],
  ["file:../a.tgz", "COPY package*.json sophia-run-*.tgz ./"],
  ["file:../a", "COPY . ."],
  ["file:a.tgz.d", "COPY . ."],
  ["portal:a", "COPY . ."],
  ["npm:link:a", "COPY package*.json sophia-run-*.tgz ./"],
])("an image with the dependency %s has the files of its installation: %s", async (version, line) => {
  for (const group of ["dependencies", ...(line === "COPY . ." ? ["devDependencies", "optionalDependencies"] : [])]) {
    const files = { ...CONTRACT, "package-lock.json": "", "server.js": "" };
    const cwd = repository({ ...files, "package.json": JSON.stringify({ [group]: { a: version } }) });
    await runInit(cwd, { options: { with: ["docker"] } });
    expect(/^COPY (?!--from).*$/m.exec(textOf(cwd, "Dockerfile") ?? "")?.[0]).toBe(line);
  }
});

test.each([
  [["builtin"], true],
  [["code", "builtin"], true],
  [["code"], false],
])("the workflow reads ESC if the contract comes from %j: %s", async (from, usesEsc) => {
  const cwd = repository({ "package.json": manifest(), "package-lock.json": "" });
  await runInit(cwd, { options: { from, with: ["actions"] } });
  expect(textOf(cwd, ".github/workflows/configuration.yml")?.includes("ESC_TOKEN")).toBe(usesEsc);
});

test("init writes nothing at all if one of its files is a link out of the project or to another file", async () => {
  const files = {
    "package.json": manifest({ scripts: { start: "node a" } }),
    "package-lock.json": "",
    a: "",
    ".env": "",
  };
  const options = { with: ["devcontainer"], "edit-scripts": true };
  for (const link of ["sophia.contract.json", ".devcontainer", "package.json"]) {
    const { [link]: text = "", ...otherFiles }: Readonly<Record<string, string>> = files;
    const cwd = repository({ ...otherFiles, real: text });
    symlinkSync(link === ".devcontainer" ? "../.." : link === "package.json" ? "real" : "nowhere", join(cwd, link));
    await expect(runInit(cwd, { options })).rejects.toMatchObject({ code: "file" });
    expect(changedFiles(cwd, { ...otherFiles, real: text })).toEqual({});
  }
});

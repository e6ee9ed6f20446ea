import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveSettings } from "../../../src/command-line/settings.ts";
import { findNodeInstaller } from "../../../src/commands/init/node-tools.ts";
import { surveyProject, usesRootsDependency } from "../../../src/commands/init/project-survey.ts";
import { silentContext } from "../../helpers/silent-context.ts";
import { repository } from "./run-init.ts";

function survey(cwd: string, environment: Readonly<Record<string, string>> = {}, isForEsc = false) {
  const context = silentContext(cwd, { HOME: cwd, ...environment });
  return surveyProject(resolveSettings({}, context.environment), isForEsc, context);
}

describe("the package manager of a project", () => {
  test.each([
    [undefined, [], undefined, { name: "npm", isLocked: false }],
    ["pnpm@10.2.0", ["package-lock.json"], undefined, { name: "pnpm", isLocked: false }],
    ["bun@1.0", ["bun.lockb"], undefined, { name: "bun", isLocked: true }],
    ["npm@10.0", ["yarn.lock", "package-lock.json"], undefined, { name: "npm", isLocked: true }],
    ["xpnpm@1.0", [], undefined, { name: "npm", isLocked: false }],
    ["pnpm@10", ["bun.lock"], undefined, { name: "bun", isLocked: true }],
    [1, ["pnpm-lock.yaml"], undefined, { name: "pnpm", isLocked: true }],
    [undefined, ["package-lock.json", "pnpm-lock.yaml"], undefined, { name: "npm", isLocked: true }],
    [undefined, [".yarnrc.yml"], undefined, { name: "yarn", isLocked: false, yarnVersion: "4" }],
    [undefined, ["pnpm-workspace.yaml", "bunfig.toml"], undefined, { name: "pnpm", isLocked: false }],
    [undefined, ["bunfig.toml"], undefined, { name: "bun", isLocked: false }],
    ["yarn@1.22.0", ["yarn.lock"], undefined, { name: "yarn 1", isLocked: true }],
    ["yarn@11.0.0", ["yarn.lock"], "# yarn lockfile v1\n", { name: "yarn", isLocked: true }],
    ["yarn@4.1.0", [], undefined, { name: "yarn", isLocked: false }],
    [undefined, ["yarn.lock"], "# x\n# yarn lockfile v1\n", { name: "yarn 1", isLocked: true }],
    [undefined, ["yarn.lock"], "x # yarn lockfile v1\n", { name: "yarn", isLocked: true, yarnVersion: "4" }],
    [undefined, ["yarn.lock"], "# yarn lockfile v10\n", { name: "yarn", isLocked: true, yarnVersion: "4" }],
    [undefined, ["yarn.lock"], "a:\n  version: 4\n", { name: "yarn", isLocked: true, yarnVersion: "3" }],
    [undefined, ["yarn.lock"], "a:\n  version: 7\n", { name: "yarn", isLocked: true, yarnVersion: "3" }],
    [undefined, ["yarn.lock"], "a:\n  version: 8\n", { name: "yarn", isLocked: true, yarnVersion: "4" }],
    [
      undefined,
      ["yarn.lock"],
      "a:\n  version: 60\n   version: 6\n",
      { name: "yarn", isLocked: true, yarnVersion: "4" },
    ],
  ])("is found by %j, the files %j and the lock %j", (field, files, lock, expected) => {
    expect(findNodeInstaller(field, lock, (file) => files.includes(file))).toEqual(expected);
  });
});

describe("the workspace of a project", () => {
  const workspaceOf = async (files: Readonly<Record<string, string>>, member: string) => {
    const root = repository({ [join(member, "x")]: "", ...files });
    const { project } = await survey(join(root, member));
    return { ...project.workspace, root: project.workspace.root.slice(root.length) };
  };

  test.each([
    [["packages/*"], "packages/a"],
    [["./packages/*/"], "packages/a"],
    [["packages/**"], "packages/a/b"],
    [["packages/**/c"], "packages/c"],
    [["packages/**/c"], "packages/a/b/c"],
    [["other", "packages/a"], "packages/a"],
    [["packages/*", "!packages/b"], "packages/a"],
  ])("has the globs %j, which list %s", async (workspaces, member) => {
    const manifest = { workspaces };
    expect(await workspaceOf({ "package.json": JSON.stringify(manifest) }, member)).toEqual({
      root: "",
      member,
      manifest,
      hasMembers: true,
    });
    const yaml = `packages: ${JSON.stringify(workspaces)}\n`;
    expect(await workspaceOf({ "pnpm-workspace.yaml": yaml }, member)).toMatchObject({ root: "", member });
    expect(
      await workspaceOf({ "package.json": JSON.stringify({ workspaces: { packages: workspaces } }) }, member),
    ).toMatchObject({
      member,
    });
  });

  test.each([
    [["packages/*"], "packages/a/b"],
    [["packages/*"], "other/a"],
    [["packages/*", "!packages/a"], "packages/a"],
    [["!packages/a"], "packages/a"],
    [[], "packages/a"],
    [[1, null], "packages/a"],
  ])("is only the project if the globs are %j, and the project is %s", async (workspaces, member) => {
    expect(await workspaceOf({ "package.json": JSON.stringify({ workspaces }) }, member)).toEqual({
      root: `/${member}`,
      member: "",
      manifest: {},
      hasMembers: false,
    });
  });

  test("does not reach beyond the root of the repository, and is that of a project that lists packages", async () => {
    const files = { "package.json": '{"workspaces":["a/*"]}' };
    expect(await workspaceOf({ ...files, "a/b/.git/x": "" }, "a/b")).toMatchObject({ root: "/a/b", member: "" });
    expect(await workspaceOf({ ...files, "a/b/package.json": '{"workspaces":[]}' }, "a/b")).toEqual({
      root: "/a/b",
      member: "",
      manifest: { workspaces: [] },
      hasMembers: true,
    });
    expect(await workspaceOf({ "pnpm-workspace.yaml": "onlyBuiltDependencies: []\n" }, "a/b")).toMatchObject({
      hasMembers: false,
    });
  });

  test("may have the dependency on sophia-run for all its packages, but not with Yarn 2 and later", async () => {
    const root = { workspaces: ["a/*"], devDependencies: { "sophia-run": "1" } };
    const projectOf = async (manifest: object) => {
      const cwd = repository({ "package.json": JSON.stringify(manifest), "a/b/x": "" });
      return { root: (await survey(cwd)).project, member: (await survey(join(cwd, "a/b"))).project };
    };
    const { root: rootProject, member } = await projectOf(root);
    expect([rootProject, member].map(usesRootsDependency)).toEqual([false, true]);
    expect(usesRootsDependency((await projectOf({ ...root, packageManager: "yarn@4.0.0" })).member)).toBe(false);
    expect(usesRootsDependency((await projectOf({ workspaces: ["a/*"] })).member)).toBe(false);
  });
});

test.each([
  ['{"name":"@acme/shop"}', "", "shop"],
  ['{"name":"shop"}', "[project]\nname='other'\n", "shop"],
  ["{}", "[project]\nname='shop'\n", "shop"],
  ['{"name":1}', "", undefined],
  ['{"name":"@acme/"}', "", undefined],
  [`{"name":"${"a".repeat(60)}"}`, "", "a".repeat(60)],
  [`{"name":"${"a".repeat(61)}"}`, "", undefined],
])("the name of the contract comes from package.json %s or pyproject.toml %j", async (manifest, pyproject, title) => {
  const { project } = await survey(repository({ "package.json": manifest, "pyproject.toml": pyproject }));
  expect(project).toMatchObject({ name: "shop", title });
});

test("the survey finds the files of a project, and the commands of its dependencies", async () => {
  const cwd = repository({
    "package.json": JSON.stringify({
      dependencies: { one: "1", "@a/two": "1", none: "1" },
      devDependencies: { three: "1" },
    }),
    "node_modules/one/package.json": '{"bin":{"uno":"x","eins":"y"}}',
    "node_modules/@a/two/package.json": '{"bin":"x"}',
    "node_modules/three/package.json": "{}",
    ".github/workflows/a.yml": "a",
    ".github/workflows/b.yaml": "b",
    Dockerfile: "FROM x",
    "pyproject.toml": "",
  });
  const found = await survey(cwd);
  expect(found).toMatchObject({
    dockerfile: "FROM x",
    pyproject: "",
    devcontainer: { file: ".devcontainer/devcontainer.json", text: undefined },
    workflows: ["a", "b"],
    isRoot: true,
    contract: undefined,
    usesEsc: false,
  });
  expect(found.commandsOf(["one", "@a/two", "three", "none", "x"])).toEqual(new Set(["uno", "eins", "two"]));
  expect([found.fileExists("Dockerfile"), found.rootFileExists("x")]).toEqual([true, false]);
  expect(await found.read("Dockerfile")).toBe("FROM x");
  const empty = await survey(repository({ "app/x": "" }));
  expect(empty.commandsOf(["one"])).toBeUndefined();
  expect(empty).toMatchObject({ packageJson: undefined, dockerfile: undefined, project: { manifest: undefined } });
});

test("the survey finds a devcontainer at both places, and a link that leads nowhere", async () => {
  const other = repository({ ".devcontainer.json": "{}" });
  expect((await survey(other)).devcontainer).toEqual({ file: ".devcontainer.json", text: "{}" });
  const linked = repository({});
  symlinkSync("nowhere", join(linked, ".devcontainer.json"));
  expect((await survey(linked)).devcontainer).toEqual({ file: ".devcontainer.json", text: undefined });
});

test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, boolean]>([
  ["the contract", { "sophia.contract.json": '{"environment":"a/b"}' }, {}, false],
  ["a workflow", { ".github/workflows/a.yml": "env: ESC_TOKEN" }, {}, false],
  ["the environment", {}, { ESC_ENV: "a/b" }, false],
  [".env", { ".env": "ESC_ENV=a/b\n" }, {}, false],
  ["the user", {}, {}, true],
])("a project uses ESC by %s", async (_, files, environment, isForEsc) => {
  expect((await survey(repository(files), environment, isForEsc)).usesEsc).toBe(true);
});

/** The changes that init offers, the options that agree to them, and the files that `--with` names. */
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectWording } from "../../helpers/wording.ts";
import { changedFiles, repository, runInit, textOf, type InitOptions } from "./run-init.ts";

const CONTRACT = { "sophia.contract.json": '{"variables":{"A":{}}}' };
const MANIFEST =
  '{\n  "private": true,\n  "scripts": { "start": "node a", "dev": "A=1 node a", "postinstall": "make" },\n  "dependencies": { "sophia-run": "1" }\n}\n';
const FILES = { ...CONTRACT, "package.json": MANIFEST, ".gitignore": "x" };

/** Runs init, and compares its output, its questions and the files that it has changed. */
async function expectChanges(files: Readonly<Record<string, string>>, options: InitOptions): Promise<void> {
  const cwd = repository(files);
  const { stdout, stderr } = await runInit(cwd, options);
  expectWording(stdout);
  expectWording(stderr);
  expect(changedFiles(cwd, files)).toMatchSnapshot();
}

describe("init makes the changes", () => {
  test.each([
    ["no option", {}],
    ["--yes", { yes: true }],
    ["--link", { link: true }],
    ["--yes and --link", { yes: true, link: true }],
    ["--edit-scripts", { "edit-scripts": true }],
  ])("to which %s agrees", async (_, options) => {
    await expectChanges(FILES, { options });
  });

  test.each([["y"], [" YES "], ["Link"], [""], ["no"], ["yess"], [undefined]])(
    "to which the answer %j agrees",
    async (answer) => {
      await expectChanges(FILES, { answers: [answer] });
    },
  );

  test.each([["y"], ["n"], [undefined]])("of one kind, to which the answer %j agrees", async (answer) => {
    await expectChanges({ ...CONTRACT }, { answers: [answer] });
    await expectChanges(FILES, { options: { yes: true }, answers: [answer] });
  });

  test("except of a file that is a link", async () => {
    const linked = repository({ ...CONTRACT, other: "x" });
    symlinkSync("other", join(linked, ".gitignore"));
    expectWording((await runInit(linked, { answers: [] })).stdout);
    expect(textOf(linked, "other")).toBe("x");
    await expect(runInit(linked, { options: { yes: true } })).rejects.toMatchObject({ code: "file" });
  });
});

test.each([
  [".env\n.env.override\n", ""],
  [".env*\n", ""],
  [".env.*\n", ""],
  ["x\n**/.env\r\n/.env.override \n", ""],
  [".env\n", ".env.override\n"],
  [".env.override", "\n.env\n"],
  ["x.env\n#.env*\n.environment\n", ".env\n.env.override\n"],
  ["a\r\n", ".env\r\n.env.override\r\n"],
])("init adds to a .gitignore with %j only what it does not ignore", async (text, added) => {
  const cwd = repository({ ...CONTRACT, ".gitignore": text });
  await runInit(cwd, { options: { yes: true } });
  expect(textOf(cwd, ".gitignore")).toBe(text + added);
});

test("init does not change a file that was edited while the question was open", async () => {
  const cwd = repository(FILES);
  const answers = ["y"];
  const edited = MANIFEST.replace("node a", "node b");
  const result = await runInit(cwd, { answers, whileOpen: () => writeFileSync(join(cwd, "package.json"), edited) });
  expectWording(result.stdout);
  expect(textOf(cwd, "package.json")).toBe(edited);
  expect(textOf(cwd, ".gitignore")).toBe("x\n.env\n.env.override\n");
});

describe("init creates", () => {
  const files = {
    ...CONTRACT,
    "package.json": MANIFEST.replace("node a", "node server.js").replace(', "dev": "A=1 node a"', ""),
    "package-lock.json": "",
    "server.js": "",
    ".gitignore": ".env*\n",
  };
  const withEsc = { ...files, "sophia.contract.json": '{"environment":"acme/app/dev","variables":{"A":{}}}' };
  const namesAfter = async (project: Readonly<Record<string, string>>, options: InitOptions) => {
    const cwd = repository(project);
    const { stdout } = await runInit(cwd, options);
    const workflow = textOf(cwd, ".github/workflows/configuration.yml") ?? "";
    const kind = /sophia-platform\/|auth-actions@|ESC_TOKEN:|--code/.exec(workflow)?.[0];
    return { names: Object.keys(changedFiles(cwd, project)), kind, listed: stdout.match(/--with \S+/g) ?? [] };
  };
  const DOCKER = [".dockerignore", "Dockerfile"];
  const DEVCONTAINER = [".devcontainer/devcontainer.json"];
  const WORKFLOW = [".github/workflows/configuration.yml"];
  const ALL = [...DEVCONTAINER, ...DOCKER.slice(0, 1), ...WORKFLOW, ...DOCKER.slice(1)];

  test.each([
    [["docker"], DOCKER, undefined],
    [["devcontainer"], DEVCONTAINER, undefined],
    [["actions"], WORKFLOW, "ESC_TOKEN:"],
    [["all"], ALL, "ESC_TOKEN:"],
    [["auth-actions", "all"], ALL, "auth-actions@"],
    [["all", "actions-oidc"], ALL, "sophia-platform/"],
  ])("the files of --with %j", async (names, created, kind) => {
    expect(await namesAfter(withEsc, { options: { with: names } })).toMatchObject({ names: created, kind });
  });

  test("what the user chooses at a terminal", async () => {
    const options = { yes: true, link: true };
    const chosen = async (project: Readonly<Record<string, string>>, answer: string) =>
      await namesAfter(
        {
          ...project,
          "package.json": MANIFEST.replace("node a", "sophia-run -- node server.js")
            .replace("A=1 node a", "sophia-run x")
            .replace("make", "sophia-run link"),
        },
        { options, answers: [answer] },
      );
    expect(await chosen(files, "all")).toMatchObject({ names: ALL, kind: "--code" });
    expect(await chosen(withEsc, "ALL")).toMatchObject({
      names: ALL,
      kind: "ESC_TOKEN:",
      listed: expect.not.arrayContaining(["--with docker"]),
    });
    expect(await chosen(withEsc, "1 actions-oidc")).toMatchObject({
      names: [".dockerignore", ...WORKFLOW, "Dockerfile"],
      kind: "sophia-platform/",
      listed: ["--with devcontainer"],
    });
    expect(await chosen(withEsc, "2")).toMatchObject({
      names: DEVCONTAINER,
      listed: ["--with docker", "--with actions", "--with actions-oidc", "--with auth-actions"],
    });
    expect(await chosen(files, "")).toMatchObject({
      names: [],
      listed: ["--with docker", "--with devcontainer", "--with actions"],
    });
    await expect(chosen(withEsc, "actions, auth-actions")).rejects.toMatchObject({
      message: "actions and auth-actions write the same file",
      hint: expect.stringContaining("choose one of them"),
    });
  });

  test("nothing if two workflows are named", async () => {
    const cwd = repository(files);
    await expect(
      runInit(cwd, { options: { with: ["all", "actions", "actions-oidc", "auth-actions"] } }),
    ).rejects.toMatchObject({ message: "actions, actions-oidc and auth-actions write the same file" });
    expect(changedFiles(cwd, files)).toEqual({});
  });

  test("the question about all files, with a row for each", async () => {
    const cwd = repository(withEsc);
    expectWording((await runInit(cwd, { options: { yes: true, link: true }, answers: [""] })).stderr);
  });
});

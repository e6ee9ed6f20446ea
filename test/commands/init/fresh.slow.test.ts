import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { adviseOnDevcontainer } from "../../../src/commands/init/extras.ts";
import { parseExample } from "../../../src/commands/init/example.ts";
import { findNodeInstaller } from "../../../src/commands/init/node-tools.ts";
import { startEscServer } from "../../esc-server/index.ts";
import { cleanPath } from "../../helpers/pack.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";
import { escVariables, SENTINEL } from "../sophia-environment.ts";
import { NODE_PROJECT } from "./node-project.ts";

const FILE = "sophia.contract.json";
const SCHEMA_FILE = "sophia.contract.schema.json";
const REPOSITORY = join(import.meta.dirname, "../../..");
const readProjectFile = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");
const variablesOf = (cwd: string): unknown => Object(JSON.parse(readProjectFile(cwd, FILE))).variables;

/** Files by their paths. */
function createProject(files: Readonly<Record<string, string>>): string {
  const root = folder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe("init in a folder in which it finds no variables", () => {
  test("writes a contract without variables, with which programs start, and prints a line that adds one", async () => {
    const cwd = folder();
    const refused = await sophia(["--", "true"], { cwd });
    expect(refused.status).toBe(78);
    expect(refused.stderr).toContain("there is no contract here");
    expect(refused.stderr).toMatch(/sophia-run init\n.*--no-contract/);
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(unwrapLines(stdout)).toMatch(/searched: .*\.env\.example.*os\.environ/);
    expect(stdout).not.toContain("ESC");
    const [, entry = ""] = /nothing is required yet; .* write\s+under "variables":\n +(.*)\n/.exec(stdout) ?? [];
    expect(variablesOf(cwd)).toEqual({});
    expect((await sophia(["--", "true"], { cwd })).status).toBe(0);
    writeFileSync(join(cwd, FILE), readProjectFile(cwd, FILE).replace('"variables": {', `"variables": { ${entry} `));
    expect((await sophia(["--", "true"], { cwd })).stderr).toContain("API_KEY is required");
    expect(readdirSync(cwd)).toEqual([FILE, SCHEMA_FILE]);
  });

  test("takes the names of .env, and no value", async () => {
    const cwd = folder({ ".env": `API_KEY=${SENTINEL}\nTEXT="A=1\nB_${SENTINEL}=2"\nESC_TOKEN=x\n` });
    const { status, stdout, stderr } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(variablesOf(cwd)).toEqual({ API_KEY: {}, TEXT: {} });
    expect(stdout + stderr + readProjectFile(cwd, FILE)).not.toContain(SENTINEL);
  });

  test("writes a contract if a source cannot be read, and prints a remark about the source", async () => {
    const cwd = folder();
    mkdirSync(join(cwd, ".env"));
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(stdout.match(/not read: /g)).toHaveLength(1);
    expect(variablesOf(cwd)).toEqual({});
    await using server = await startEscServer();
    const refused = await sophia(["init"], { env: escVariables(server, "acme/app/none") });
    expect(refused.status).toBe(0);
    expect(refused.stdout).toContain("acme/app/none");
  });

  test("names ESC among what was searched only if ESC was asked", async () => {
    await using server = await startEscServer();
    server.environment("acme/app/empty", { values: {} });
    const { stdout } = await sophia(["init"], { cwd: folder(), env: escVariables(server, "acme/app/empty") });
    expect(unwrapLines(stdout)).toMatch(/searched: .*, ESC, process\.env/);
  });

  test("writes no contract if --from esc names an ESC that refuses", async () => {
    await using server = await startEscServer();
    const env = escVariables(server, "acme/app/none");
    expect((await sophia(["init", "--from", "esc"], { env })).status).toBe(125);
  });
});

test.each([
  [undefined, [".env", ".env.override"]],
  ["node_modules\n.env.local\n", [".env", ".env.override"]],
  [".env*\n", []],
  ["*.env\n", [".env.override"]],
  [".envrc\n", [".env", ".env.override"]],
  ["/.env\n", [".env.override"]],
  [".env\n/.env.override\n", []],
])("init advises a repository with the .gitignore %j to ignore %j", async (text, advised) => {
  const cwd = folder(text === undefined ? {} : { ".gitignore": text });
  mkdirSync(join(cwd, ".git"));
  const { stdout } = await sophia(["init"], { cwd });
  const [, lines = ""] = /\n\.gitignore: add[^\n]*\n((?: {2}[^\n]+\n)*)/.exec(stdout) ?? [];
  expect(lines.split("\n").flatMap((line) => (line === "" ? [] : line.trim()))).toEqual(advised);
});

test("at a terminal init asks what else to create", async () => {
  const cwd = folder({
    [FILE]: '{"variables":{"A":{}}}',
    "package.json": '{"dependencies":{"sophia-run":"1"}}',
    "package-lock.json": "{}",
    "server.js": "",
  });
  const runOptions = { cwd, env: { PATH: cleanPath } };
  const { status } = await atTerminal(["init"], runOptions, [
    ["for none: ", "dokcer\n"],
    ["for none: ", "docker 3\n"],
    // The script for the executable.
    ["[y/N] ", "\n"],
  ]);
  expect(status).toBe(0);
  const createdFiles = [
    ".dockerignore",
    ".github",
    "Dockerfile",
    "package-lock.json",
    "package.json",
    "server.js",
    FILE,
  ];
  expect(readdirSync(cwd).toSorted()).toEqual(createdFiles.toSorted());
});

describe("init in a package of a workspace", () => {
  const member = '{"name":"api","scripts":{"start":"node server.js"}}';
  test.each([
    [
      "pnpm",
      { "package.json": "{}", "pnpm-workspace.yaml": "packages:\n  # All.\n  - 'packages/*'\n", "pnpm-lock.yaml": "" },
      ["  pnpm add ./", "pnpm exec "],
    ],
    [
      "npm",
      { "package.json": '{"workspaces":["packages/*"]}', "package-lock.json": "{}" },
      ["  npm install --save-prod ./", "npx --no-install "],
    ],
    [
      "Yarn 4 without packageManager",
      { "package.json": '{"workspaces":{"packages":["packages/**"]}}', "yarn.lock": "__metadata:\n  version: 8\n" },
      ["  yarn add sophia-run@file:./", "yarn run "],
    ],
    [
      "bun",
      { "package.json": '{"workspaces":["packages/*"]}', "bun.lock": "" },
      ["  bun add ./", "bunx --no-install "],
    ],
  ])("prints the commands of the root's package manager: %s", async (name, files, [add = "", run = ""]) => {
    const root = createProject({ ...files, "packages/api/package.json": member, "packages/api/server.js": "" });
    const cwd = join(root, "packages/api");
    expect((await sophia(["init"], { cwd })).stdout).toContain(add);
    const named = join(name.startsWith("Yarn") ? cwd : root, "package.json");
    const manifest: object = JSON.parse(readFileSync(named, "utf8"));
    writeFileSync(named, JSON.stringify({ ...manifest, dependencies: { "sophia-run": "1" } }));
    // The root's dependency is the package's, too, but for Yarn 4.
    const again = await sophia(["init", "--with", "docker"], { cwd });
    expect(again.stdout).not.toContain("among its dependencies");
    expect(again.stdout).toContain(`\n  ${run}sophia-run check\n`);
    expect(again.stdout).toContain("docker build --file Dockerfile ../..");
    expect(readdirSync(cwd).toSorted()).toEqual(
      ["Dockerfile", "Dockerfile.dockerignore", "package.json", "server.js", FILE, SCHEMA_FILE].toSorted(),
    );
  });

  test("refers to the schema of the package, or to a file beside the contract if none is installed", async () => {
    const root = createProject({
      "package.json": '{"workspaces":["packages/*"]}',
      "packages/api/package.json": member,
      "packages/own/package.json": member,
      "packages/own/node_modules/sophia-run/schema/sophia.contract.schema.json": "{}",
    });
    const schemaOf = async (name: string): Promise<unknown> => {
      const cwd = join(root, name);
      await sophia(["init"], { cwd });
      const { $schema }: { $schema?: unknown } = JSON.parse(readProjectFile(cwd, FILE));
      rmSync(join(cwd, FILE));
      return $schema;
    };
    const path = "node_modules/sophia-run/schema/sophia.contract.schema.json";
    expect(await schemaOf("packages/own")).toBe(`./${path}`);
    expect(existsSync(join(root, "packages/own", SCHEMA_FILE))).toBe(false);
    // As in a project in Python, with a global installation, or with Yarn's Plug'n'Play.
    writeFileSync(join(root, ".pnp.cjs"), "process.env.PNP_DEBUG_LEVEL");
    expect(await schemaOf("packages/api")).toBe(`./${SCHEMA_FILE}`);
    const written = JSON.parse(readProjectFile(join(root, "packages/api"), SCHEMA_FILE));
    expect(written).toEqual(JSON.parse(readFileSync(join(REPOSITORY, "schema", SCHEMA_FILE), "utf8")));
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), "{}");
    expect(await schemaOf("packages/api")).toBe(`../../${path}`);
    expect(await schemaOf(".")).toBe(`./${path}`);
    // The loader of Yarn is not code of the project.
    await sophia(["init"], { cwd: root });
    expect(variablesOf(root)).toEqual({});
  });

  test("says that the root must list the package, and gives the option that pnpm needs in the root", async () => {
    const root = createProject({
      "package.json": "{}",
      "pnpm-workspace.yaml": "packages: ['packages/*', '!packages/old']\n",
      "pnpm-lock.yaml": "",
      "packages/old/package.json": member,
      "other/package.json": member,
    });
    for (const name of ["packages/old", "other"]) {
      expect((await sophia(["init"], { cwd: join(root, name) })).stdout).toContain("  npm install --save-prod");
    }
    expect((await sophia(["init"], { cwd: root })).stdout).toContain("  pnpm add --workspace-root ./");
  });
});

test.each([
  [
    "yarn.lock of Yarn 4",
    "__metadata:\n  version: 8\n",
    ["yarn.lock"],
    { name: "yarn", isLocked: true, yarnVersion: "4" },
  ],
  [
    "yarn.lock of Yarn 3",
    "__metadata:\n  version: 6\n",
    ["yarn.lock"],
    { name: "yarn", isLocked: true, yarnVersion: "3" },
  ],
  [".yarnrc.yml alone", undefined, [".yarnrc.yml"], { name: "yarn", isLocked: false, yarnVersion: "4" }],
  ["yarn.lock of Yarn 1", "# yarn lockfile v1\n", ["yarn.lock"], { name: "yarn 1", isLocked: true }],
])("init recognizes Yarn without packageManager, by %s", (_, lock, files, expected) => {
  expect(findNodeInstaller(undefined, lock, (file) => files.includes(file))).toEqual(expected);
});

test("init declares a variable as optional if .env.example describes it as optional", () => {
  const text =
    "# Where errors go (optional)\nA=\n# Not optional: the key.\nB=\nC=1 # optional\nD='#' # needed\n\n# Optional settings\nE=1\nF=\n\nG=\n";
  const required = parseExample(text).filter((one) => one.required);
  expect(required.map(({ name }) => name)).toEqual(["B", "D", "G"]);
});

describe("init with an existing devcontainer", () => {
  const proposed = (config: string): unknown => {
    const step = adviseOnDevcontainer(".devcontainer.json", config, NODE_PROJECT, true);
    return step.kind === "advise" ? JSON.parse(`{${step.lines.join("\n")}}`) : undefined;
  };

  test.each([
    ["a text", '"setup.sh"', "setup.sh && sophia-run check"],
    ["words", '["setup.sh", "a b"]', "setup.sh 'a b' && sophia-run check"],
    ["commands side by side", '{ "a": "b" }', { a: "b", "sophia-run": "sophia-run check" }],
    ["nothing", '""', "sophia-run check"],
  ])("keeps its postStartCommand, in a single key: %s", (_, former, expected) => {
    const config = `{ // Ours.\n "postCreateCommand": "npm ci", "postStartCommand": ${former}, }`;
    expect(proposed(config)).toMatchObject({ postStartCommand: expected });
    expect(proposed(config)).not.toHaveProperty("postCreateCommand");
  });

  test("keeps its remoteEnv, and its postCreateCommand before the installation", () => {
    expect(proposed('{ "postCreateCommand": "make", "remoteEnv": { "A": "1", "PATH": "x" } }')).toMatchObject({
      postCreateCommand: "make && npm install",
      remoteEnv: { A: "1", PATH: "x", ESC_ENV: expect.anything() },
    });
  });
});

describe("init and symbolic links", () => {
  const files = {
    [FILE]: '{"variables":{"A":{}}}',
    "package.json": '{"dependencies":{"sophia-run":"1"}}',
    "package-lock.json": "{}",
    "server.js": "",
  };

  test.each([
    [".devcontainer", "..", "leads out of the project"],
    [".devcontainer", "nowhere", "leads out of the project"],
    [".github", "..", "leads out of the project"],
    ["Dockerfile", "nowhere", "is a symbolic link"],
    [".dockerignore", "nowhere", "is a symbolic link"],
  ])("it writes nothing through %s -> %s", async (name, target, words) => {
    const outside = folder();
    const cwd = join(outside, "project");
    mkdirSync(cwd);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(cwd, path), text);
    symlinkSync(target, join(cwd, name));
    const refused = await sophia(["init", "--with", "docker,devcontainer,actions"], { cwd });
    expect(refused.status).toBe(125);
    expect(unwrapLines(refused.stderr)).toContain(name);
    expect(unwrapLines(refused.stderr)).toContain(words);
    expect(readdirSync(outside)).toEqual(["project"]);
    expect(readdirSync(cwd).toSorted()).toEqual([name, ...Object.keys(files)].toSorted());
  });

  test("it keeps a link to an existing contract", async () => {
    const cwd = folder({ "shared.json": files[FILE], ...files });
    rmSync(join(cwd, FILE));
    symlinkSync("shared.json", join(cwd, FILE));
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    expect(stdout).toContain(`${FILE} exists`);
  });

  test("it follows links within the project", async () => {
    const cwd = folder(files);
    mkdirSync(join(cwd, "config"));
    symlinkSync("config", join(cwd, ".devcontainer"));
    expect((await sophia(["init", "--with", "devcontainer"], { cwd })).status).toBe(0);
    expect(readdirSync(join(cwd, "config"))).toEqual(["devcontainer.json"]);
  });
});

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { NODE_TOOLS } from "../../../src/commands/init/node-tools.ts";
import { createPackageSteps, startsPackageManager } from "../../../src/commands/init/package-json.ts";
import { FETCH_WHEEL_COMMANDS } from "../../../src/commands/parts/package-source.ts";
import { readDevcontainer } from "../../helpers/devcontainer.ts";
import { readWorkflow } from "../../helpers/workflow.ts";
import { folder, sophia, unwrapLines } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

/** Without a release the package is a file in the project. */
const isFile = FETCH_WHEEL_COMMANDS.length > 0;
const root = join(import.meta.dirname, "../../..");
const read = (cwd: string, name: string): string => readFileSync(join(cwd, name), "utf8");
const CONTRACT = { "sophia.contract.json": '{"variables":{"A":{}}}' };
/** A project whose values are in ESC, as those of the examples. */
const WITH_ESC = { "sophia.contract.json": '{"environment":"acme/app/dev","variables":{"A":{}}}' };
const manifestFor = (packageManager: string): string =>
  JSON.stringify({ dependencies: { "sophia-run": "^0.1.0" }, packageManager });
const MANIFEST = '{ "dependencies": { "sophia-run": "^0.1.0" } }\n';

describe("init in a project that npm installs", () => {
  const files = { ...WITH_ESC, "package.json": MANIFEST, "package-lock.json": "{}", "server.js": "" };

  test("makes the Dockerfile and the .dockerignore of the example, which README.md shows", async () => {
    const cwd = folder(files);
    const { stdout } = await sophia(["init", "--with", "docker"], { cwd });
    for (const name of ["Dockerfile", ".dockerignore"]) {
      expect(stdout).toContain(`created ${name}\n`);
      // The check of its health is for the server of the example.
      const example = read(join(root, "examples/docker"), name).replace(/# .*\nHEALTHCHECK .*\n\n/, "");
      expect(read(cwd, name)).toBe(example);
    }
  });

  test("makes a Dockerfile that copies the tarball, if sophia-run is installed from one", async () => {
    const cwd = folder({ ...files, "package.json": MANIFEST.replace("^0.1.0", "file:sophia-run-0.1.0.tgz") });
    await sophia(["init", "--with", "docker"], { cwd });
    expect(read(cwd, "Dockerfile")).toContain("COPY package*.json sophia-run-*.tgz ./\n");
  });

  test("makes the example's devcontainer, with the check for its command", async () => {
    const cwd = folder(files);
    await sophia(["init", "--with", "devcontainer"], { cwd });
    const name = ".devcontainer/devcontainer.json";
    expect(read(cwd, name).replace(/"name": ".*"/, '"name": "Sophia"')).toBe(
      read(join(root, "examples/devcontainer"), name).replace("sophia-run -- node setup.js", "sophia-run check"),
    );
    expect(readDevcontainer(join(cwd, name)).postStartCommand).toBe("sophia-run check");
  });

  test("makes a workflow that checks as this repository's own does", async () => {
    const cwd = folder(files);
    const { stdout } = await sophia(["init", "--with", "actions"], { cwd });
    expect(stdout).toContain("created .github/workflows/configuration.yml\n");
    const made = readWorkflow(join(cwd, ".github/workflows/configuration.yml"));
    const own = readWorkflow(join(root, ".github/workflows/checks.yml"));
    expect(made.permissions).toEqual(own.permissions);
    const job = own.steps.slice(own.steps.findIndex(({ id }) => id === "secrets"));
    expect(
      made.steps.map(({ run, ...step }) => ({ ...step, run: run?.replace("node_modules/.bin/", "bin/") })),
    ).toEqual(job.filter(({ run }) => run !== "npm run build").map((step) => ({ ...step, run: step.run })));
    expect(read(cwd, ".github/workflows/configuration.yml")).toContain(
      '          node-version: "24"\n          cache: npm\n',
    );
    // A workflow of the repository's own that runs it already is enough.
    const other = folder(files);
    mkdirSync(join(other, ".github/workflows"), { recursive: true });
    writeFileSync(join(other, ".github/workflows/ci.yaml"), "run: npx sophia-run check");
    await sophia(["init", "--with", "actions"], { cwd: other });
    expect(readdirSync(join(other, ".github/workflows"))).toEqual(["ci.yaml"]);
  });

  test("makes a workflow without a cache for pnpm, which actions/setup-node must find installed", async () => {
    const cwd = folder({ ...WITH_ESC, "package.json": MANIFEST, "pnpm-lock.yaml": "", "server.js": "" });
    await sophia(["init", "--with", "actions"], { cwd });
    const text = read(cwd, ".github/workflows/configuration.yml");
    expect(text).toContain("corepack pnpm install --frozen-lockfile");
    expect(text).not.toContain("cache:");
  });

  /** What a new workflow has, and what init printed. */
  async function workflowOf(way: string, contract: string, more: Readonly<Record<string, string>> = {}) {
    const cwd = folder({ ...files, "sophia.contract.json": contract, ...more });
    const result = await sophia(["init", "--with", way], { cwd });
    expect(result.status).toBe(0);
    const name = ".github/workflows/configuration.yml";
    return { cwd, text: read(cwd, name), workflow: readWorkflow(join(cwd, name)), stdout: unwrapLines(result.stdout) };
  }
  const stepsOf = (text: string, name: string): string =>
    text
      .split("\n")
      .filter((line) => line.includes(name))
      .map((line) => line.trim())
      .join();

  test("makes a workflow without a stored token that uses the action of sophia-run, as the example does", async () => {
    const { text, workflow, stdout } = await workflowOf("actions-oidc", WITH_ESC["sophia.contract.json"]);
    expect(workflow.permissions).toEqual({ contents: "read", "id-token": "write" });
    const example = read(join(root, "examples/actions"), "oidc.yml");
    expect(stepsOf(text, "uses: sophia-platform")).toBe(stepsOf(example, "uses: sophia-platform"));
    expect(text).toContain("          environment: acme/app/dev\n          oidc-organization: acme\n");
    expect(text).toContain("          export: check\n");
    expect(text).not.toContain("secrets.");
    expect(stdout).not.toContain("gh variable");
  });

  test("makes a workflow with pulumi/auth-actions, as the example does, which installs nothing once it has the token", async () => {
    const { text, workflow } = await workflowOf("auth-actions", WITH_ESC["sophia.contract.json"]);
    expect(workflow.permissions).toEqual({ contents: "read", "id-token": "write" });
    const example = read(join(root, "examples/actions"), "auth-actions.yml");
    expect(stepsOf(text, "uses: ")).toBe(stepsOf(example, "uses: "));
    expect(workflow.steps.at(-1)).toMatchObject({
      run: "node_modules/.bin/sophia-run check --require-esc",
      env: { ESC_ENV: "acme/app/dev", ESC_TOKEN_COMMAND: "printenv PULUMI_ACCESS_TOKEN" },
    });
    expect(workflow.steps.slice(0, -2).map(({ run }) => run)).toContain("npm ci");
    expect(text).not.toContain("secrets.");
  });

  test.each(["actions-oidc", "auth-actions"])(
    "makes files in which %s takes what the contract does not name from variables of the repository, and says how to set them",
    async (way) => {
      const { cwd, text, stdout } = await workflowOf(way, '{"variables":{"A":{}}}');
      expect(text).toContain("${{ vars.ESC_ENV }}");
      expect(text).toContain("${{ vars.PULUMI_ORGANIZATION }}");
      expect(stdout).toContain("gh variable set ESC_ENV; gh variable set PULUMI_ORGANIZATION");
      // From now on the project uses ESC.
      expect((await sophia(["docs"], { cwd })).status).toBe(0);
      expect(read(cwd, "SECRETS.md")).toContain("Pulumi ESC");
      const hostile = await workflowOf(way, '{"environment":"acme/app/dev\\n  evil: 1","variables":{"A":{}}}');
      expect(hostile.text).not.toContain("evil");
      const short = await workflowOf(way, '{"environment":"app/dev","variables":{"A":{}}}');
      expect(short.text).toContain(": app/dev\n");
      expect(short.stdout).toContain("gh variable set PULUMI_ORGANIZATION");
      expect(short.stdout).not.toContain("gh variable set ESC_ENV");
    },
  );

  test("offers each way beside the stored token, and writes nothing if two ways are given for one file", async () => {
    const { stdout } = await workflowOf("all", WITH_ESC["sophia.contract.json"]);
    expect(stdout).toContain("--with actions-oidc or --with auth-actions");
    const cwd = folder(files);
    const listed = await sophia(["init"], { cwd });
    for (const name of ["actions", "actions-oidc", "auth-actions"])
      expect(listed.stdout).toContain(`  --with ${name} `);
    const refused = await sophia(["init", "--with", "actions,auth-actions"], { cwd });
    expect(refused.status).toBe(125);
    expect(refused.stderr).toContain("actions and auth-actions write the same file");
    expect(readdirSync(cwd).toSorted()).toEqual(Object.keys(files).toSorted());
    expect((await workflowOf("all,auth-actions", WITH_ESC["sophia.contract.json"])).text).toContain(
      "pulumi/auth-actions@",
    );
    const python = folder({ ...WITH_ESC, "main.py": "" });
    const asked = await sophia(["init", "--with", "actions"], { cwd: python });
    expect(unwrapLines(asked.stdout)).toContain("--with actions-oidc needs none");
    expect((await sophia(["init", "--with", "actions-oidc"], { cwd: python })).stdout).toContain("created .github");
  });

  test("makes no file that calls npx, and prints no command that asks a registry for a missing package", async () => {
    const cwd = folder(files);
    const { stdout } = await sophia(["init", "--with", "docker,devcontainer,actions"], { cwd });
    expect(unwrapLines(stdout)).toContain(
      "then run npx --no-install sophia-run check npx --no-install sophia-run docs\n",
    );
    const names = ["Dockerfile", ".devcontainer/devcontainer.json", ".github/workflows/configuration.yml"];
    for (const name of names) expect(read(cwd, name)).not.toContain("npx");
    const without = folder({ ...CONTRACT, "package.json": "{}" });
    expect((await sophia(["init"], { cwd: without })).stdout).toContain("add sophia-run");
  });
});

test.each([
  ["npm", { "package-lock.json": "" }, MANIFEST],
  ["pnpm", { "pnpm-lock.yaml": "" }, MANIFEST],
  ["pnpm", { "package-lock.json": "", "pnpm-lock.yaml": "" }, manifestFor("pnpm@10.0.0")],
  ["yarn", { "yarn.lock": "__metadata:\n" }, manifestFor("yarn@4.18.1")],
  ["yarn 1", { "yarn.lock": "# THIS IS AN AUTOGENERATED FILE.\n# yarn lockfile v1\n" }, MANIFEST],
  ["yarn 1", { "yarn.lock": "" }, manifestFor("yarn@1.22.22")],
  ["bun", { "bun.lock": "" }, MANIFEST],
  ["bun", { "bun.lockb": "" }, MANIFEST],
] as const)("init in a project of %s, by %j, calls it in all files", async (name, locks, manifest) => {
  const cwd = folder({ ...WITH_ESC, ...locks, "package.json": manifest, "server.js": "" });
  const { stdout } = await sophia(["init", "--with", "docker", "--with", "devcontainer,actions"], { cwd });
  const { runPrefix, installationFiles, install, installProduction, devcontainer, workflow } = NODE_TOOLS[name];
  expect(unwrapLines(stdout)).toContain(`then run ${runPrefix}sophia-run check ${runPrefix}sophia-run docs\n`);
  expect(read(cwd, "Dockerfile")).toContain(
    `COPY ${installationFiles} sophia-run-*.tgz ./\nRUN ${installProduction}\n`,
  );
  expect(readDevcontainer(join(cwd, ".devcontainer/devcontainer.json")).postStartCommand).toBe(devcontainer.check);
  const { steps } = readWorkflow(join(cwd, ".github/workflows/configuration.yml"));
  const commands = steps.slice(1).flatMap((step) => (step.run === undefined ? [] : [step.run]));
  expect(commands).toEqual([...(workflow.setUp === undefined ? [] : [workflow.setUp]), install, workflow.check]);
  // Of what the secrets are not there for, nothing runs.
  expect(steps.slice(1).map((step) => step.if)).toEqual(steps.slice(1).map(() => steps[1]?.if));
  if (name !== "npm") {
    const other = folder({ ...CONTRACT, ...locks, "package.json": manifest.replace('"sophia-run"', '"other"') });
    expect((await sophia(["init"], { cwd: other })).stdout).toContain(`  ${NODE_TOOLS[name].add}\n`);
  }
});

describe("init in a project that does not use ESC", () => {
  const files = { ...CONTRACT, "package.json": MANIFEST, "package-lock.json": "{}", "server.js": "process.env.A" };
  const names = [
    ".env.example",
    "SECRETS.md",
    ".devcontainer/devcontainer.json",
    ".github/workflows/configuration.yml",
  ];

  test("mentions ESC in none of the files that init and docs write", async () => {
    const cwd = folder({ ...files, ".env": "A=1\n" });
    expect((await sophia(["init", "--with", "all"], { cwd })).status).toBe(0);
    expect((await sophia(["docs"], { cwd })).status).toBe(0);
    for (const name of names) expect(read(cwd, name)).not.toMatch(/\bESC|pulumi/i);
    const { steps } = readWorkflow(join(cwd, ".github/workflows/configuration.yml"));
    expect(steps.at(-1)?.run).toBe("node_modules/.bin/sophia-run check --code --strict");
    expect(readDevcontainer(join(cwd, ".devcontainer/devcontainer.json")).postStartCommand).toBe("sophia-run check");
    // What the workflow runs passes.
    expect((await sophia(["check", "--code", "--strict"], { cwd })).status).toBe(0);
    // ESC of a developer of another project changes nothing.
    const env = { ESC_ENV: "acme/app/dev", ESC_TOKEN: "x" };
    expect(await sophia(["docs", "--check"], { cwd, env })).toMatchObject({ status: 0 });
  });

  test.each([
    ["the user's environment", {}, { ESC_ENV: "acme/app/dev" }],
    [".env", { ".env": "ESC_ENV=acme/app/dev\n" }, {}],
    ["the contract", WITH_ESC, {}],
  ])("writes documents about ESC once ESC is in %s, and docs keeps them so", async (_, own, env) => {
    const cwd = folder({ ...files, ...own });
    expect((await sophia(["docs"], { cwd, env })).status).toBe(0);
    expect(read(cwd, ".env.example")).toContain("\nESC_TOKEN=\n");
    expect(read(cwd, "SECRETS.md")).toContain("Pulumi ESC");
    expect(await sophia(["docs", "--check"], { cwd })).toMatchObject({ status: 0 });
  });
});

describe("init, if a file cannot be created,", () => {
  test.each([
    ["only Python", { "main.py": 'import os\nos.environ["A"]\n' }, "no package.json"],
    ["no lock file", { "package.json": MANIFEST }, "no package-lock.json"],
    [
      "that of another package manager",
      { "package.json": manifestFor("pnpm@11.28.11"), "package-lock.json": "{}" },
      "no pnpm-lock.yaml",
    ],
    ["Yarn 4 by its settings alone", { "package.json": MANIFEST, ".yarnrc.yml": "" }, "no yarn.lock"],
  ])("prints the reason in one line if the user asked for the file: %s", async (_, own, why) => {
    const files = { ...CONTRACT, ...own, "server.js": "" };
    const cwd = folder(files);
    const plain = await sophia(["init"], { cwd });
    expect(plain.status).toBe(0);
    expect(plain.stdout).not.toMatch(/Dockerfile|devcontainer|workflow/);
    const asked = await sophia(["init", "--with", "all"], { cwd });
    expect(asked.status).toBe(0);
    for (const file of ["Dockerfile", ".devcontainer/devcontainer.json", ".github/workflows/configuration.yml"]) {
      expect(asked.stdout).toContain(`\n${file}: not created`);
    }
    expect(unwrapLines(asked.stdout)).toContain(`there is ${why}`);
    expectWording(asked.stdout);
    expect(readdirSync(cwd).toSorted()).toEqual(Object.keys(files).toSorted());
  });
});

test("init writes only the contract without a terminal and --with, and names the other files at its end", async () => {
  const files = { "package.json": MANIFEST, "package-lock.json": "{}", "server.js": "process.env.A" };
  const cwd = folder(files);
  mkdirSync(join(cwd, ".github"));
  const { stdout } = await sophia(["init"], { cwd });
  const expected = [".github", "sophia.contract.json", "sophia.contract.schema.json", ...Object.keys(files)];
  expect(readdirSync(cwd).toSorted()).toEqual(expected.toSorted());
  expect(readdirSync(join(cwd, ".github"))).toEqual([]);
  for (const name of ["docker", "devcontainer", "actions"]) expect(stdout).toContain(`\n  --with ${name} `);
  const made = await sophia(["init", "--with", "docker"], { cwd });
  expect(made.stdout).not.toContain("--with docker");
  expect(made.stdout).toContain("--with actions");
});

describe("after init", () => {
  test("docs writes no types without a package.json, and keeps existing types up to date", async () => {
    const cwd = folder(CONTRACT);
    expect((await sophia(["docs"], { cwd })).status).toBe(0);
    expect(readdirSync(cwd).toSorted()).toEqual([".env.example", "SECRETS.md", "sophia.contract.json"]);
    expect((await sophia(["docs", "--check"], { cwd })).status).toBe(0);
    writeFileSync(join(cwd, "tsconfig.json"), "{}");
    expect((await sophia(["docs", "--check"], { cwd })).stderr).toContain("env.d.ts (missing)");
  });

  test("existing files of a Python project get lines without npm", async () => {
    const cwd = folder({ ...CONTRACT, Dockerfile: "FROM python:3\n", ".devcontainer.json": "{}" });
    const { stdout } = await sophia(["init"], { cwd });
    expect(stdout).toContain('\nDockerfile: add\n  ENTRYPOINT ["sophia-run", "--"]\n');
    expect(stdout).toContain('"postStartCommand": "sophia-run check"\n');
    expect(stdout).not.toMatch(/npm|node_modules/);
  });

  test.each([
    ["CMD python app.py", '  ENTRYPOINT ["sophia-run", "--"]\n  CMD ["python", "app.py"]\n  (CMD with brackets'],
    ["CMD exec python app.py", '  ENTRYPOINT ["sophia-run", "--"]\n\n'],
    ['CMD dev\nFROM base\nCMD ["prod"]', '  ENTRYPOINT ["sophia-run", "--"]\n\n'],
    ["HEALTHCHECK --retries=1 \\\n  CMD curl localhost", '  ENTRYPOINT ["sophia-run", "--"]\n\n'],
    ["CMD a && b", '  ENTRYPOINT ["sophia-run", "--"]\n\n'],
    ["ENTRYPOINT python app.py", '  ENTRYPOINT ["sophia-run", "--", "python", "app.py"]\n\n'],
    ["ENTRYPOINT a && b", '  ENTRYPOINT ["sophia-run", "--", "sh", "-c", "a && b"]\n\n'],
    ["CMD sophia-run -- python app.py", "write\n  CMD exec sophia-run -- python app.py\n\n"],
    ["ENTRYPOINT sophia-run -- python app.py", "write\n  ENTRYPOINT exec sophia-run -- python app.py\n\n"],
    ["CMD exec sophia-run -- python app.py", "Dockerfile uses sophia-run already\n"],
    ['CMD ["sophia-run", "--", "python", "app.py"]', "Dockerfile uses sophia-run already\n"],
  ])("a Dockerfile with %s gets lines that start the program without a shell if possible", async (line, says) => {
    const { stdout } = await sophia(["init"], {
      cwd: folder({ ...CONTRACT, Dockerfile: `FROM python:3\n${line}\n` }),
    });
    expect(stdout).toContain(says);
  });
});

describe("init advises a project with pyproject.toml how to install sophia-run:", () => {
  const project = (more: string): string => `[project]\nname = "sophia-run-demo"\n${more}\n`;

  test.each([
    {
      of: "uv",
      files: { "pyproject.toml": project('dependencies = ["fastapi", "uvicorn>=0.30"]'), "uv.lock": "" },
      says: [
        `; run\n  ${[...FETCH_WHEEL_COMMANDS, "uv add "].join("\n  ")}`,
        "\n  uv run sophia-run -- uvicorn main:app\n",
        '"postCreateCommand": "uv sync",\n',
        '"postStartCommand": "uv run sophia-run check"\n',
      ],
    },
    {
      of: "Poetry, with the dependency",
      files: { "pyproject.toml": project('[tool.poetry.dependencies]\nsophia-run = "^0.1"\npytest = "*"') },
      says: ["pyproject.toml uses", "  poetry run sophia-run -- pytest\n"],
    },
    {
      of: "pip",
      files: { "requirements.txt": "gunicorn==27.0.1\n", "app.py": "", Dockerfile: "FROM python:3.13-slim\n" },
      says: [
        ...(isFile
          ? [".whl >> requirements.txt\n  pip install --requirement requirements.txt\n"]
          : ["; add\n  sophia-run", "\n  (then pip install --requirement requirements.txt)\n"]),
        "  sophia-run -- gunicorn app:app\n",
        "sophia-run docs --types python",
        '$(uname -m).whl\n  ENTRYPOINT ["sophia-run", "--"]\n',
        '"postCreateCommand": "pip install --requirement requirements.txt",\n',
      ],
    },
    {
      of: "pip, with a list of dependencies",
      files: { "pyproject.toml": project("dependencies = []"), "manage.py": "" },
      says: [
        ...(isFile ? ["\n  pip install ./sophia_run-"] : ['; add\n  "sophia-run', '",\n  (then pip install .)\n']),
        "  sophia-run -- python manage.py\n",
      ],
    },
  ])("by $of", async ({ files, says }) => {
    const cwd = folder({ ...CONTRACT, ".devcontainer.json": "{}", ...files });
    const { status, stdout } = await sophia(["init"], { cwd });
    expect(status).toBe(0);
    for (const fragment of says) expect(stdout).toContain(fragment);
    expect(stdout.replaceAll(/.* run package -- .*/g, "")).not.toMatch(/npm|node_modules/);
  });
});

describe("init advises a project with package.json", () => {
  const addCommands = ["npm install --save-prod ./sophia-run-0.1.0.tgz"];
  const advice = (text: string, isStartedByPackageManager = false, files: readonly string[] = []): string =>
    createPackageSteps(text, {
      addCommands,
      editsScripts: false,
      fileExists: (file) => files.includes(file),
      isStartedByPackageManager,
      hasRootDependency: false,
    })
      .map((step) => ("lines" in step ? [step.title, ...step.lines, step.remark].join("\n") : step.kind))
      .join("\n");

  test.each([
    ["{}", "; run\nnpm install --save-prod ./sophia-run"],
    ['{"devDependencies":{"sophia-run":"1"}}', "; run\nnpm install --save-prod ./sophia-run"],
    ["{", "not a JSON object"],
  ])("how to depend on sophia-run: %s", (text, words) => {
    expect(advice(text)).toContain(words);
    expectWording(advice(text));
  });

  test("to make a start script for an existing program", () => {
    const manifest = '{"dependencies":{"sophia-run":"1"}}';
    expect(advice(manifest)).toBe("");
    expect(advice(manifest, false, ["index.js"])).toBe('\n"scripts": { "start": "sophia-run -- node index.js" }\n');
  });

  test.each([
    ["file:sophia-run-0.1.0.tgz", ""],
    ["./sophia-run-0.1.0.tgz", ""],
    ["file:../../tmp/sophia-run-0.1.0.tgz", "../../tmp/sophia-run-0.1.0.tgz"],
    ["/tmp/a b/sophia-run-0.1.0.tgz", "'/tmp/a b/sophia-run-0.1.0.tgz'"],
  ])("to copy the tarball for images and CI, if sophia-run comes from %s", (version, path) => {
    const advised = advice(JSON.stringify({ dependencies: { "sophia-run": version } }));
    const expected = `cp ${path} . && npm install --save-prod ./sophia-run-0.1.0.tgz\n`;
    expect(advised.replace(/^.*; run\n/, "")).toBe(path === "" ? "" : expected);
  });

  test("to begin a script with exec if an image or a supervisor starts it by npm", () => {
    const manifest = '{"dependencies":{"sophia-run":"1"},"scripts":{"start":"node a.js"}}';
    expect(advice(manifest)).toBe('\n"start": "sophia-run -- node a.js"\n');
    expect(advice(manifest, true)).toContain('\n"start": "exec sophia-run -- node a.js"\nexec: ');
  });

  test.each([
    ['CMD ["npm", "start"]', true],
    ["CMD npm run serve", true],
    ['ENTRYPOINT [ "yarn", "start" ]', true],
    ["web: npm start", true],
    ['CMD ["node", "server.js"]', false],
    ["RUN npm ci", false],
    ["web: node npm.js", false],
  ])("with the knowledge that %s starts npm: %s", (text, expected) => {
    expect(startsPackageManager(undefined, text)).toBe(expected);
  });
});

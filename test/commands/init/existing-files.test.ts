/** The lines that init offers or advises to add to files that exist. */
import { describe, expect, test } from "vitest";
import { adviseOnDockerfile } from "../../../src/commands/init/dockerfile.ts";
import { adviseOnDevcontainer } from "../../../src/commands/init/extras.ts";
import {
  createPackageSteps,
  startsPackageManager,
  type PackageOptions,
} from "../../../src/commands/init/package-json.ts";
import type { Project } from "../../../src/commands/init/project-survey.ts";
import { hasPythonDependency } from "../../../src/commands/init/python.ts";
import { TARBALL_NAME, WHEEL_DOCKERFILE_LINES } from "../../../src/commands/parts/package-source.ts";
import { NODE_PROJECT } from "./node-project.ts";

const PYTHON: Project = { ...NODE_PROJECT, manifest: undefined, python: "uv" };
const PATH = "ENV PATH=/app/node_modules/.bin:$PATH";
const REMARK = "CMD with brackets: otherwise a shell keeps SIGTERM from the program";

describe("the advice for a Dockerfile", () => {
  test.each([
    ["FROM x", ['ENTRYPOINT ["sophia-run", "--"]']],
    ['ENTRYPOINT [ "a", "b" ]', ['ENTRYPOINT ["sophia-run", "--", "a", "b"]']],
    ['  entrypoint\t[""]  ', ['ENTRYPOINT ["sophia-run", "--", ""]']],
    ['RUN ENTRYPOINT ["a"]\nENTRYPOINT ["b"] x', ['ENTRYPOINT ["sophia-run", "--"]']],
    ["ENTRYPOINT a  b", ['ENTRYPOINT ["sophia-run", "--", "a", "b"]']],
    ["ENTRYPOINT exec   a b", ['ENTRYPOINT ["sophia-run", "--", "a", "b"]']],
    ["ENTRYPOINT a $B", ['ENTRYPOINT ["sophia-run", "--", "sh", "-c", "a $B"]']],
    ["ENTRYPOINT AB=1 c", ['ENTRYPOINT ["sophia-run", "--", "sh", "-c", "AB=1 c"]']],
    ["ENTRYPOINT a exec b", ['ENTRYPOINT ["sophia-run", "--", "a", "exec", "b"]']],
    ["CMD node server.js  ", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["node", "server.js"]']],
    ["CMD execute x", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["execute", "x"]']],
    ["CMD a exec b", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["a", "exec", "b"]']],
    ["CMD exec node x", ['ENTRYPOINT ["sophia-run", "--"]']],
    ["CMD node $x", ['ENTRYPOINT ["sophia-run", "--"]']],
    ["CMD AB=1 node", ['ENTRYPOINT ["sophia-run", "--"]']],
    ['CMD ["node"]', ['ENTRYPOINT ["sophia-run", "--"]']],
    ["CMD first\nCMD second", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["second"]']],
    ['CMD first\nCMD ["second"]', ['ENTRYPOINT ["sophia-run", "--"]']],
    ["HEALTHCHECK \\\n  CMD a\nCMD b", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["b"]']],
    ["CMD b\nHEALTHCHECK \\ \t\r\n  CMD a", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["b"]']],
    ["CMD b\\\nc", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["b", "c"]']],
    ["RUN x # sophia-run\n", ['ENTRYPOINT ["sophia-run", "--"]']],
    ["RUN echo CMD sophia-run\nCMD a", ['ENTRYPOINT ["sophia-run", "--"]', 'CMD ["a"]']],
  ])("keeps what it starts: %j", (text, lines) => {
    const remark = lines.length > 1 ? REMARK : undefined;
    expect(adviseOnDockerfile(text, NODE_PROJECT)).toEqual({
      kind: "advise",
      file: "Dockerfile",
      lines: [PATH, ...lines],
      remark,
    });
  });

  test.each([
    ["WORKDIR /srv", "/srv"],
    ["  workdir \t/srv/app/ \t", "/srv/app"],
    ["WORKDIR /", ""],
    ["WORKDIR /one\nWORKDIR /two", "/one"],
    ["WORKDIR relative", "/app"],
    ["RUN WORKDIR /srv", "/app"],
    ["WORKDIR /srv x", "/app"],
  ])("puts the commands of the folder of %j on PATH", (text, folder) => {
    expect(adviseOnDockerfile(text, NODE_PROJECT)).toMatchObject({
      lines: [`ENV PATH=${folder}/node_modules/.bin:$PATH`, 'ENTRYPOINT ["sophia-run", "--"]'],
    });
  });

  test("installs the wheel in a project of Python only", () => {
    const lines = ['ENTRYPOINT ["sophia-run", "--"]'];
    expect(adviseOnDockerfile("", PYTHON)).toMatchObject({ lines: [...WHEEL_DOCKERFILE_LINES, ...lines] });
    expect(adviseOnDockerfile("", { ...NODE_PROJECT, python: "uv" })).toMatchObject({ lines: [PATH, ...lines] });
    expect(adviseOnDockerfile("", { ...PYTHON, python: undefined })).toMatchObject({ lines });
  });

  test.each([
    ["CMD sophia-run -- node x", "CMD exec sophia-run -- node x"],
    ["ENTRYPOINT sophia-run --", "ENTRYPOINT exec sophia-run --"],
    ["ENTRYPOINT sophia-run --\nCMD x", "ENTRYPOINT exec sophia-run --"],
  ])("adds exec to %j, whose shell would keep SIGTERM from the program", (text, line) => {
    const [instruction = ""] = line.split(" ");
    const title = `a shell starts ${instruction}, and keeps SIGTERM from the program; write`;
    expect(adviseOnDockerfile(text, NODE_PROJECT)).toEqual({
      kind: "advise",
      file: "Dockerfile",
      title,
      lines: [line],
    });
  });

  test.each([
    'ENTRYPOINT ["sophia-run", "--"]\nCMD node x',
    "\tcmd exec sophia-run -- node x",
    "CMD sh -c 'sophia-run x'",
    'CMD ["/usr/bin/sophia-run"]',
  ])("has nothing to add to %j", (text) => {
    expect(adviseOnDockerfile(text, NODE_PROJECT)).toEqual({ kind: "ready", file: "Dockerfile" });
  });
});

describe("the advice for a devcontainer", () => {
  const linesFor = (config: object, project = PYTHON, usesEsc = false): unknown => {
    const step = adviseOnDevcontainer("x.json", JSON.stringify(config), project, usesEsc);
    return step.kind === "advise" ? { title: step.title, ...Object(JSON.parse(`{${step.lines.join("\n")}}`)) } : step;
  };
  const REPLACING = "add, replacing the keys that it has already";
  const check = "uv run sophia-run check";

  test.each([
    ["", "uv sync"],
    [" ", "uv sync"],
    [[], "uv sync"],
    [1, "uv sync"],
    ["make", "make && uv sync"],
    [["make", "a b"], "make 'a b' && uv sync"],
    [{ one: "make" }, { one: "make", "sophia-run": "uv sync" }],
  ])("keeps the present command %j", (postCreateCommand, expected) => {
    expect(linesFor({ postCreateCommand })).toEqual({
      title: REPLACING,
      postCreateCommand: expected,
      postStartCommand: check,
    });
    expect(linesFor({ postCreateCommand: "uv sync", postStartCommand: "make" })).toEqual({
      title: REPLACING,
      postStartCommand: `make && ${check}`,
    });
  });

  test.each(
    "npm ci,npm i,npm install,pnpm i,pnpm install,yarn,yarn install,bun i,bun install,uv sync,pip install,poetry install,pdm install".split(
      ",",
    ),
  )("adds no installation to %s", (command) => {
    expect(linesFor({ postCreateCommand: `cd x && ${command} y` })).toEqual({ title: "add", postStartCommand: check });
  });

  test.each(["npm run x", "xnpm ci", "npm cix", "uv run", "install", "pip x"])(
    "adds an installation to %s",
    (command) => {
      expect(linesFor({ postCreateCommand: command })).toMatchObject({ postCreateCommand: `${command} && uv sync` });
    },
  );

  test("passes the access to ESC and the path of packages on, and keeps the present variables", () => {
    const access = { ESC_ENV: "${localEnv:ESC_ENV}", ESC_TOKEN: "${localEnv:ESC_TOKEN}" };
    expect(linesFor({ remoteEnv: { A: "1", ESC_ENV: "x" } }, NODE_PROJECT, true)).toEqual({
      title: REPLACING,
      postCreateCommand: "npm install",
      postStartCommand: "sophia-run check",
      remoteEnv: {
        ...access,
        PATH: "${containerWorkspaceFolder}/node_modules/.bin:${containerEnv:PATH}",
        A: "1",
        ESC_ENV: "x",
      },
    });
    expect(linesFor({}, { ...PYTHON, python: undefined }, true)).toEqual({
      title: "add",
      postStartCommand: "sophia-run check",
      remoteEnv: access,
    });
  });

  test("reads comments and commas at the end, and adds nothing to one that uses sophia-run", () => {
    const step = adviseOnDevcontainer("x.json", '{ "postStartCommand": "make", /* a */ }', PYTHON, false);
    expect(step).toEqual({
      kind: "advise",
      file: "x.json",
      title: REPLACING,
      lines: ['"postCreateCommand": "uv sync",', `"postStartCommand": "make && ${check}"`],
    });
    expect(linesFor({ a: "sophia-run check" })).toEqual({ kind: "ready", file: "x.json" });
    expect(adviseOnDevcontainer("x.json", '{ "a": "sophia-runs" }', PYTHON, false).kind).toBe("advise");
  });
});

test.each([
  ["CMD npm start", true],
  ['\tCMD  [ "pnpm", "start"]', true],
  ["entrypoint ['yarn']", true],
  ["FROM x\nENTRYPOINT bun x", true],
  ["web-1: npm start", true],
  ["web:npm start", true],
  ["CMD[npm", true],
  ["RUN CMD npm", false],
  ["CMD npmx", false],
  ["CMD node npm", false],
  ["CMD [[npm", false],
  [": npm", false],
])("a file with %j starts a package manager: %s", (text, expected) => {
  expect(startsPackageManager(text)).toBe(expected);
  expect(startsPackageManager(undefined, text, "x")).toBe(expected);
});

test.each([
  ["sophia-run", true],
  ["a\n  sophia-run \nb", true],
  ["sophia_run>=1", true],
  ["Sophia.Run [x]", true],
  ["sophia-run~=1", true],
  ["sophia-run @ file:x", true],
  ["sophia-run;python", true],
  ["\t./sophia_run-1.0-py3.whl \t", true],
  ['x = ["sophia-run"]', true],
  ["x = ['sophia-run >=1']", true],
  ['sophia-run = "^1"', true],
  ["# sophia-run", false],
  ["x sophia-run", false],
  ["sophia-run x", false],
  ["sophia-runner", false],
  ["x ./sophia_run-1.whl", false],
  ["./sophia_run-1.whl x", false],
  ["./sophia_run-.whl", false],
  ['"sophia-run x"', false],
  ['"x-sophia-run"', false],
])("requirements with %j have sophia-run among them: %s", (text, expected) => {
  expect(hasPythonDependency(text)).toBe(expected);
});

describe("the steps for package.json", () => {
  const OPTIONS: PackageOptions = {
    addCommands: ["first", `npm install --save-prod ./${TARBALL_NAME}`],
    editsScripts: false,
    fileExists: () => false,
    isStartedByPackageManager: false,
    hasRootDependency: false,
  };
  const stepsFor = (text: string | undefined, options: Partial<PackageOptions> = {}) =>
    createPackageSteps(text, { ...OPTIONS, ...options });
  const advice = (title: string, lines: readonly string[] = []) => ({
    kind: "advise",
    file: "package.json",
    title,
    lines,
  });
  const OURS = { dependencies: { "sophia-run": "1" } };

  test("say why nothing is changed", () => {
    expect(stepsFor(undefined)).toEqual([]);
    expect(stepsFor(undefined, { editsScripts: true })).toEqual([advice("not changed because there is none")]);
    for (const text of ["[]", "{", "null", "1"])
      expect(stepsFor(text)).toEqual([advice("scripts cannot be read (not a JSON object)")]);
    expect(stepsFor(JSON.stringify(OURS))).toEqual([]);
    expect(stepsFor(`\uFEFF${JSON.stringify(OURS)}`, { editsScripts: true })).toEqual([
      advice("not changed because it has no script start, dev or serve"),
    ]);
  });

  test("add the dependency", () => {
    const { addCommands } = OPTIONS;
    expect(stepsFor("{}")).toEqual([advice("sophia-run is not among its dependencies; run", addCommands)]);
    expect(stepsFor('{"devDependencies":{"sophia-run":"1"}}')).toEqual([
      advice("sophia-run is a devDependency, which images leave out; run", addCommands),
    ]);
    expect(stepsFor("{}", { hasRootDependency: true })).toEqual([]);
    expect(stepsFor('{"name":"sophia-run"}')).toEqual([]);
  });

  test.each([
    ["file:../x y/sophia-run-1.tgz", "cp '../x y/sophia-run-1.tgz' . && npm install --save-prod ./sophia-run-1.tgz"],
    ["/a/s.tgz", "cp /a/s.tgz . && npm install --save-prod ./s.tgz"],
    ["./a/s 1.tgz", "cp './a/s 1.tgz' . && npm install --save-prod ./'s 1.tgz'"],
  ])("copy the tarball %s into the folder, which an image copies", (version, line) => {
    expect(stepsFor(JSON.stringify({ dependencies: { "sophia-run": version } }))).toEqual([
      advice("images and CI need the tarball of sophia-run in this folder; run", [line]),
    ]);
  });

  test.each(["file:sophia-run-1.tgz", "./s.tgz", "../a/s.tgz.old", "npm:x/y/s.tgz", "../a/.tgz"])(
    "need no copy of %s",
    (version) => expect(stepsFor(JSON.stringify({ dependencies: { "sophia-run": version } }))).toEqual([]),
  );

  test("put sophia-run in front of start, dev and serve, and a shell around what needs one", () => {
    const scripts = { start: "node a", dev: "A=1 node b", serve: "a && b", other: "c" };
    const text = JSON.stringify({ ...OURS, scripts });
    const lines = [
      '"start": "sophia-run -- node a"',
      `"dev": "sophia-run -- sh -c 'A=1 node b'"`,
      `"serve": "sophia-run -- sh -c 'a && b'"`,
    ];
    const [step, ...others] = stepsFor(text);
    expect(others).toEqual([]);
    expect(step).toMatchObject({
      kind: "offer",
      lines,
      replaced: ['"start": "node a"', '"dev": "A=1 node b"', '"serve": "a && b"'],
      isLink: false,
    });
    const edited = stepsFor(text, { editsScripts: true });
    expect(edited).toMatchObject([{ kind: "edit", newLines: lines }]);
    expect(step?.kind === "offer" && step.edit(text)).toBe(edited[0]?.kind === "edit" && edited[0].text);
    expect(step?.kind === "offer" && step.edit(text.replace("node a", "node x"))).toBeUndefined();
    const double = text.replace("{", '{"scripts":{},');
    expect(stepsFor(double)).toEqual([{ kind: "advise", file: "package.json", lines }]);
  });

  test("put exec in front if a package manager starts the program", () => {
    const remark = "exec: otherwise the shell of the script keeps SIGTERM from the program; cmd of Windows has no exec";
    const options = { isStartedByPackageManager: true };
    expect(stepsFor(JSON.stringify({ ...OURS, scripts: { start: "a=b AB=1" } }), options)).toMatchObject([
      { lines: [`"start": "exec sophia-run -- sh -c 'a=b AB=1'"`], remark },
    ]);
    expect(stepsFor(JSON.stringify(OURS), { ...options, fileExists: (file) => file === "app.js" })).toEqual([
      {
        kind: "advise",
        file: "package.json",
        lines: ['"scripts": { "start": "exec sophia-run -- node app.js" }'],
        remark,
      },
    ]);
  });

  test.each(["node a=b", "echo AB=1", "next start -p 1"])("need no shell for %s", (start) => {
    expect(stepsFor(JSON.stringify({ ...OURS, scripts: { start } }))).toMatchObject([
      { lines: [`"start": "sophia-run -- ${start}"`] },
    ]);
  });

  test("change nothing if all scripts use sophia-run, and only the others otherwise", () => {
    const scripts = { start: "sophia-run -- a" };
    expect(stepsFor(JSON.stringify({ ...OURS, scripts }))).toEqual([{ kind: "ready", file: "package.json" }]);
    expect(stepsFor(JSON.stringify({ ...OURS, scripts: { ...scripts, dev: "b" } }))).toMatchObject([
      { lines: ['"dev": "sophia-run -- b"'] },
    ]);
  });
});

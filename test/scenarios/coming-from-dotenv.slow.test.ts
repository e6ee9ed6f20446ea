/**
 * The tools of docs/coming-from.md that read a `.env` themselves, each beside sophia-run in the same project: the commands of the
 * tables, which of two sources wins, code that may stay, and lines that are read differently. Those of npm and PyPI are fetched
 * once, at fixed versions.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { fetchNpmPackages } from "../helpers/npm-packages.ts";
import { fetchPythonPackages } from "../helpers/python-packages.ts";
import { cleanPath } from "../helpers/pack.ts";
import { notInstalled } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { startProcess } from "../helpers/start-process.ts";

const root = join(import.meta.dirname, "../..");
const document = readFileSync(join(root, "docs/coming-from.md"), "utf8");

const NPM = { dotenv: "18.0.10", "dotenv-cli": "11.0.0", "env-cmd": "11.0.0" } as const;
const PYPI = ["python-dotenv==1.2.4", "pydantic-settings==2.16.3", "pydantic==2.14.4", "click==8.4.2"] as const;
let packages = "";
let python = "";

beforeAll(() => {
  packages = fetchNpmPackages(join(root, ".cache/coming-from", `npm-${Object.values(NPM).join("-")}`), NPM);
  python = fetchPythonPackages(join(root, ".cache/coming-from", PYPI.join("-")), PYPI);
}, 300_000);

const noDirenv = notInstalled("direnv", "version");

/** The tools that the sections are about, by the sections' titles: each starts with these words in place of its own name. */
const TOOLS = {
  "dotenv for Node.js": (): string => `node ${packages}/node_modules/dotenv/dist/cli.cjs`,
  "node --env-file": () => "node",
  "dotenv-cli": (): string => `node ${packages}/node_modules/dotenv-cli/cli.js`,
  "env-cmd": (): string => `node ${packages}/node_modules/env-cmd/bin/env-cmd.js`,
  "python-dotenv": () => "python3 -m dotenv",
  direnv: () => "direnv allow . && exec direnv",
} as const;
type Tool = keyof typeof TOOLS;

/** The words of the page that stand for the reader's own. */
const WORDS: Readonly<Record<string, string>> = { COMMAND: "printenv API_KEY", FILE: "other.env", NAME: "API_KEY" };

/** The commands in a cell. */
const inCode = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

const rowsOf = (title: string): readonly (readonly string[])[] =>
  (document.split(/^## /m).find((section) => section.startsWith(`${title}\n`)) ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => line.split("|").slice(1, -1));

/** The rows in which a command stands on both sides. */
const PAIRS = (["dotenv for Node.js", "node --env-file", "dotenv-cli", "env-cmd", "python-dotenv", "direnv"] as const)
  .flatMap((tool) => rowsOf(tool).map(([theirs = "", ours = ""]) => ({ tool, theirs, ours })))
  .map(({ tool, theirs, ours }) => ({
    tool,
    theirs:
      inCode(theirs).find((code) => /^(?:dotenv|node|env-cmd|direnv) .*(?:COMMAND|NAME|app\.js)/.test(code)) ?? "",
    ours: inCode(ours).find((code) => /(?:^| )sophia-run .*(?:COMMAND|NAME|app\.js)/.test(code)) ?? "",
  }))
  .filter(({ theirs, ours }) => theirs !== "" && ours !== "");

const FILES = {
  "sophia.contract.json": JSON.stringify({ variables: { API_KEY: {}, APP_DATABASE__URL: {} } }),
  ".env": "API_KEY=file\nAPP_DATABASE__URL=nested\n",
  ".env.local": "API_KEY=local\n",
  "other.env": "API_KEY=other\n",
  ".envrc": "dotenv\n",
  "app.js": "console.log(process.env.API_KEY);",
} as const;

/** A project in which commands run, with the tools; `direnv allow` keeps its consent there. */
function createProject(files: Readonly<Record<string, string>> = {}) {
  const cwd = folder({ ...FILES, ...files });
  const ours = sophiaRun.map((word) => `'${word}'`).join(" ");
  return (script: string, env: Readonly<Record<string, string>> = {}) =>
    startProcess(["bash", "-c", `sophia-run() { ${ours} "$@"; }\n${script}`], {
      cwd,
      env: {
        PATH: cleanPath,
        HOME: cwd,
        NODE_PATH: `${packages}/node_modules`,
        PYTHONPATH: python,
        ...env,
      },
    }).finished;
}

/** A command of the page as it runs here. */
function runnableCommand(tool: Tool, command: string): string {
  const words = command.replaceAll(/\b(?:COMMAND|FILE|NAME)\b/g, (word) => WORDS[word] ?? word);
  return words.replace(/^(?:dotenv|env-cmd|direnv|node)(?= )/, () => TOOLS[tool]());
}

test("the tables of the page about dotenv have pairs of commands", () => expect(PAIRS.length).toBeGreaterThan(15));

describe("both commands of a row in the tables give the program the same values", () => {
  test.for(PAIRS)("$tool: $theirs, $ours", async ({ tool, theirs, ours }, { skip }) => {
    skip(tool === "direnv" && noDirenv !== undefined, noDirenv);
    const run = createProject();
    const [first, second] = [await run(runnableCommand(tool, theirs)), await run(runnableCommand(tool, ours))];
    expect(second, second.stderr).toMatchObject({ status: 0 });
    expect(second.stdout.trim()).toMatch(/^(?:file|local|other|text)$/);
    expect(first.stdout.trim(), first.stderr).toBe(second.stdout.trim());
  });
});

describe("if the caller's environment and the file have a value", () => {
  /** Which of both wins. */
  const WINS = [
    ["dotenv for Node.js", "dotenv run -- COMMAND", "caller"],
    ["dotenv for Node.js", "dotenv run --override -- COMMAND", "file"],
    ["node --env-file", "node --env-file=.env app.js", "caller"],
    ["dotenv-cli", "dotenv -- COMMAND", "caller"],
    ["dotenv-cli", "dotenv -o -- COMMAND", "file"],
    ["env-cmd", "env-cmd -- COMMAND", "file"],
    ["env-cmd", "env-cmd --no-override -- COMMAND", "caller"],
    ["python-dotenv", "dotenv run -- COMMAND", "file"],
    ["direnv", "direnv exec . COMMAND", "file"],
  ] as const;
  test.for(WINS)("%s with %s uses the value of the %s", async ([tool, command, expected], { skip }) => {
    skip(tool === "direnv" && noDirenv !== undefined, noDirenv);
    const { stdout } = await createProject()(runnableCommand(tool, command), { API_KEY: "caller" });
    expect(stdout.trim().split("\n").at(-1)).toBe(expected);
  });
  test("sophia-run uses the caller's", async () => {
    expect(await createProject()("sophia-run -- printenv API_KEY", { API_KEY: "caller" })).toMatchObject({
      stdout: "caller\n",
    });
  });
});

describe("code that reads the file again in the program", () => {
  const PRINT = "console.log(process.env.API_KEY)";
  const SETTINGS = (more: string): string =>
    `from pydantic_settings import BaseSettings\nclass S(BaseSettings, extra="ignore", ${more}):\n    api_key: str = ""\nprint(S().api_key)`;
  /** What the program has if sophia-run resolved another value than that of the file. */
  const CODE = [
    ["config() of dotenv", "node", "resolved", 'require("dotenv").config({ quiet: true }); ' + PRINT],
    ["dotenv/config", "node", "resolved", 'require("dotenv/config"); ' + PRINT],
    [
      "config() of another file",
      "node",
      "resolved",
      'require("dotenv").config({ path: "other.env", quiet: true }); ' + PRINT,
    ],
    ["config() with override", "node", "file", 'require("dotenv").config({ override: true, quiet: true }); ' + PRINT],
    ["process.loadEnvFile()", "node", "resolved", "process.loadEnvFile(); " + PRINT],
    [
      "load_dotenv()",
      "python3",
      "resolved",
      'import os, dotenv; dotenv.load_dotenv(".env"); print(os.environ["API_KEY"])',
    ],
    [
      "load_dotenv() with override",
      "python3",
      "file",
      'import os, dotenv; dotenv.load_dotenv(".env", override=True); print(os.environ["API_KEY"])',
    ],
    ["dotenv_values()", "python3", "file", 'import dotenv; print(dotenv.dotenv_values(".env")["API_KEY"])'],
    ["env_file", "python3", "resolved", SETTINGS('env_file=".env"')],
    ["env_file with two files", "python3", "resolved", SETTINGS('env_file=(".env", ".env.local")')],
  ] as const;
  test.for(CODE)("finds with %s (%s) the %s value", async ([, language, expected, code]) => {
    const run = createProject({ ".env.override": "API_KEY=resolved\n", "again.txt": code });
    const program = language === "node" ? 'node -e "$(cat again.txt)"' : "python3 again.txt";
    const result = await run(`sophia-run --quiet -- sh -c '${program}'`);
    expect(result, result.stderr).toMatchObject({ status: 0, stdout: `${expected}\n` });
  });

  test("makes dotenv set a variable again that sophia-run has not passed on", async () => {
    const result = await createProject({ "again.js": 'require("dotenv").config({ quiet: true });' + PRINT })(
      "sophia-run --exclude API_KEY -- node again.js",
    );
    expect(result.stdout).toBe("file\n");
  });

  test("lets the last file win in pydantic-settings, as sophia-run does", async () => {
    const run = createProject({ "settings.py": SETTINGS('env_file=(".env", ".env.local")') });
    const here = await run("sophia-run --dotenv .env --dotenv .env.local -- printenv API_KEY");
    expect([(await run("python3 settings.py")).stdout, here.stdout]).toEqual(["local\n", "local\n"]);
  });

  test("gets the same values from a folder of secrets as from sophia-run", async () => {
    const run = createProject({ "secrets/api_key": "in a folder\n", "settings.py": SETTINGS('secrets_dir="secrets"') });
    const here = await run("sophia-run --dotenv /dev/null --secrets-dir secrets -- printenv API_KEY");
    const theirs = await run("python3 settings.py");
    expect([theirs.stdout, here.stdout], here.stderr).toEqual(["in a folder\n", "in a folder\n"]);
  });

  test("builds the name that the contract declares from a prefix and a delimiter", async () => {
    const code = `from pydantic import BaseModel
from pydantic_settings import BaseSettings
class D(BaseModel):
    url: str
class S(BaseSettings, env_prefix="APP_", env_nested_delimiter="__"):
    database: D
print(S().database.url)`;
    expect(await createProject({ "settings.py": code })("sophia-run -- python3 settings.py")).toMatchObject({
      stdout: "nested\n",
    });
  });
});

describe("lines that sophia-run and other tools read differently", () => {
  const READERS = [
    ["here", () => "sophia-run --quiet --no-contract -- node print.js 2>/dev/null"],
    ["dotenv", (): string => `${TOOLS["dotenv for Node.js"]()} run -q -- node print.js`],
    ["Node.js", () => "node --env-file=.env print.js"],
    ["dotenv-cli", (): string => `${TOOLS["dotenv-cli"]()} -- node print.js`],
    ["env-cmd", (): string => `${TOOLS["env-cmd"]()} -- node print.js`],
    ["env-cmd --recursive", (): string => `${TOOLS["env-cmd"]()} --recursive -- node print.js`],
    ["python-dotenv", () => "python3 -m dotenv run -- node print.js"],
    ["pydantic-settings", () => "python3 print.py"],
    ["direnv", () => "direnv allow . && direnv exec . node print.js 2>/dev/null"],
  ] as const;
  type Reader = (typeof READERS)[number][0];
  const SHOW = "process.env.URL ?? process.env.A ?? null";
  const EXPANDS = { "dotenv-cli": "h/x", "env-cmd --recursive": "h/x", "python-dotenv": "h/x" } as const;

  /** A line as the page has it, the value here, and of those who read another one. */
  const LINES: readonly (readonly [string, string | null, Partial<Record<Reader, string | null>>])[] = [
    ["URL=${BASE}/x", "${BASE}/x", { ...EXPANDS, direnv: "h/x" }],
    ["URL='${BASE}/x'", "${BASE}/x", EXPANDS],
    ["A=pa$word", "pa$word", { "dotenv-cli": "pa", direnv: "pa" }],
    ["A=a#b", "a", { "python-dotenv": "a#b" }],
    [
      'A="say \\"hi\\""',
      'say "hi"',
      {
        dotenv: 'say \\"hi\\"',
        "dotenv-cli": 'say \\"hi\\"',
        "env-cmd": 'say \\"hi\\"',
        "env-cmd --recursive": 'say \\"hi\\"',
        "Node.js": "say \\",
      },
    ],
    [
      'A="C:\\\\new"',
      "C:\\new",
      {
        dotenv: "C:\\\new",
        "Node.js": "C:\\\new",
        "dotenv-cli": "C:\\\new",
        "env-cmd": "C:\\\new",
        "env-cmd --recursive": "C:\\\new",
        direnv: "C:\new",
      },
    ],
    ['A="a\\tb"', "a\\tb", { "python-dotenv": "a\tb", direnv: "atb" }],
    ["A='a\\nb'", "a\\nb", { "env-cmd": "a\nb", "env-cmd --recursive": "a\nb" }],
    ["A=`a`", "a", { "env-cmd": "`a`", "env-cmd --recursive": "`a`", "python-dotenv": "`a`", direnv: "`a`" }],
    ["A: a", "a", { "Node.js": null, "env-cmd": null, "env-cmd --recursive": null, "python-dotenv": null }],
    ["export A=a", "a", { "env-cmd": null, "env-cmd --recursive": null }],
    ['A="a\nb"', "a\nb", { "env-cmd": "", "env-cmd --recursive": "", direnv: null }],
  ];

  test("are those that the page lists", () => {
    const rows = rowsOf("Lines that are read differently").map(([line = ""]) =>
      line
        .trim()
        .replace(/^`(`?)(?: ?)(.*?)(?: ?)\1`( in two lines)?$/, "$2")
        .replace("`, `", "\n"),
    );
    expect(rows).toEqual(LINES.map(([line]) => line));
  });

  test.for(LINES)("are read as the page says: %s", async ([line, here, others], { skip }) => {
    const run = createProject({
      ".env": `BASE=h\n${line}\n`,
      "sophia.contract.json": '{ "variables": {} }',
      "print.js": `console.log(JSON.stringify(${SHOW}));`,
      "print.py": `import json
from pydantic_settings import BaseSettings
class S(BaseSettings, env_file=".env", extra="ignore"):
    url: str | None = None
    a: str | None = None
print(json.dumps(S().url or S().a))`,
    });
    for (const [name, command] of READERS) {
      if (name === "direnv" && noDirenv !== undefined) continue;
      const { stdout, stderr } = await run(command());
      const like = name === "pydantic-settings" ? "python-dotenv" : name;
      const expected = like in others ? others[like] : here;
      expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""), `${name}\n${stderr}`).toBe(expected);
    }
    skip(noDirenv !== undefined, noDirenv);
  });

  test("include a declared name that the caller sets to nothing, which sophia-run takes as unset", async () => {
    const run = createProject();
    expect(await run("sophia-run -- printenv API_KEY", { API_KEY: "" })).toMatchObject({ stdout: "file\n" });
    expect(await run("node --env-file=.env app.js", { API_KEY: "" })).toMatchObject({ stdout: "\n" });
  });
});

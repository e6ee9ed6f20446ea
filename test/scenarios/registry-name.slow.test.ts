import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { NODE_TOOLS } from "../../src/commands/init/node-tools.ts";
import { PYTHON_TOOLS } from "../../src/commands/init/python.ts";
import { DISTRIBUTION } from "../../src/commands/parts/distribution.ts";
import {
  fetchCommandsOf,
  FETCH_TARBALL_COMMANDS,
  IS_ON_REGISTRIES,
  RELEASE_URL,
  REPOSITORY_URL,
  TARBALL_NAME,
  VERSION,
} from "../../src/commands/parts/package-source.ts";

const root = join(import.meta.dirname, "../..");

/** The name alone, perhaps with a version: a registry is asked for it. */
const NAME = String.raw`["']?sophia[-_]run(?:@[\w.^~*-]+)?["']?(?=[\s\`"',;)&|]|$)`;
const COMMANDS = [
  String.raw`(?:npm|pnpm|yarn|bun|pip3?|uv|uv tool|uv pip|pipx|poetry|pdm)(?: global)? (?:install|i|add|dlx|run|exec|x)`,
  String.raw`(?:npx|bunx|uvx)`,
].join("|");
/** Words in between are options, except what only looks at what is installed. */
const FROM_REGISTRY = new RegExp(
  String.raw`\b(?:${COMMANDS})(?: (?!--no(?:-install)?(?: |$)|--$)[^\s\`]+)*? ${NAME}`,
  "m",
);
const RUNS_INSTALLED =
  /\b(?:uv run|pdm run|poetry run|pnpm exec|yarn run|npx --no-install|bunx --no-install) sophia-run/g;
const DEPENDENCY = /"sophia-run"\s*:\s*"[~^]?\d|^\s*(?:dependencies\b.*)?"sophia-run"\s*[,\]]/m;
const FROM_FILE =
  /releases\/download\/v[\d.]+\/sophia[-_]run-\d|on no registry|is on a registry|file:(?:\.\/)?sophia-run-/;

/** Arguments of nodemon: it starts what is installed. */
const OF_NODEMON = /--exec "[^"]*"/g;

function asksRegistry(line: string): boolean {
  return FROM_REGISTRY.test(line.replaceAll(RUNS_INSTALLED, "").replaceAll(OF_NODEMON, "")) || DEPENDENCY.test(line);
}

function filesBelow(path: string): readonly string[] {
  const whole = join(root, path);
  if (!statSync(whole).isDirectory()) return [whole];
  return readdirSync(whole, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(?:svg|tgz)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes("node_modules"));
}

/** Lines of documents, and of sources with messages, by their places. */
function linesThat(isWanted: (line: string) => boolean): readonly string[] {
  const places = [
    "src",
    "docs",
    "README.md",
    "examples",
    "skills",
    "action.yml",
    "llms.txt",
    "SECRETS.md",
    "CONTRIBUTING.md",
    // It has a command for npm, and says that the package is not there yet.
    ...(IS_ON_REGISTRIES ? ["SECURITY.md"] : []),
  ];
  return places.flatMap(filesBelow).flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, index) => (isWanted(line) ? [`${relative(root, file)}:${index + 1}: ${line.trim()}`] : [])),
  );
}

test("all documents and messages install the package in the form that is safe today", () => {
  const wrong = linesThat(IS_ON_REGISTRIES ? (line) => FROM_FILE.test(line) : asksRegistry);
  expect(wrong.filter((line) => !line.startsWith("src/commands/parts/package-source.ts:"))).toEqual([]);
});

test("documents name the package's version", () => {
  const [release] = VERSION.split("-");
  const named = /(?:releases\/download\/v|sophia-platform\/sophia-run@v|sophia[-_]run-|git checkout v)(\d+\.\d+\.\d+)/g;
  const isOther = (line: string): boolean => Array.from(line.matchAll(named)).some(([, found]) => found !== release);
  expect(linesThat(isOther)).toEqual([]);
});

test("init prints the safe form for each package manager", () => {
  const tools: readonly { readonly add?: string; readonly addToRoot?: string; readonly runPrefix: string }[] = [
    ...Object.values(NODE_TOOLS),
    ...Object.values(PYTHON_TOOLS),
  ];
  const printed = tools.flatMap(({ add = "", addToRoot = "", runPrefix }) => [
    add,
    addToRoot,
    `${runPrefix}sophia-run check`,
  ]);
  expect(printed.filter(asksRegistry)).toEqual(IS_ON_REGISTRIES ? printed.filter(asksRegistry) : []);
  expect(FETCH_TARBALL_COMMANDS.length === 0).toBe(IS_ON_REGISTRIES);
});

test("a checkout makes the package while there is no release, and no command names an address of a release", () => {
  const [clone = "", make = ""] = fetchCommandsOf("checkout");
  expect(clone).toBe(`git clone ${REPOSITORY_URL} ~/sophia-run`);
  expect(make).toBe("npm --prefix ~/sophia-run run package -- .");
  expect(fetchCommandsOf("release")).toEqual([`curl -fLO ${RELEASE_URL}/${TARBALL_NAME}`]);
  expect(fetchCommandsOf("registries")).toEqual([]);
  const printed = JSON.stringify([FETCH_TARBALL_COMMANDS, Object.values(NODE_TOOLS), Object.values(PYTHON_TOOLS)]);
  expect(printed.includes("/releases/")).toBe(DISTRIBUTION === "release");
});

test("the documented version is the version of the package", () => {
  expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8"))).toMatchObject({ version: VERSION });
  expect(TARBALL_NAME).toBe(`sophia-run-${VERSION}.tgz`);
});

describe("the search for commands that would ask a registry", () => {
  test.each([
    "npm install sophia-run",
    "npm i --save-prod sophia-run@0.1.0",
    "RUN npm install --global sophia-run",
    "pnpm add -w sophia-run;",
    "yarn add sophia-run",
    "`bun add sophia-run`",
    "uv add sophia-run, then",
    "pip install --no-cache-dir fastapi sophia-run uvicorn",
    "poetry add 'sophia-run'",
    "npx sophia-run init",
    "`npx --yes sophia-run@latest`",
    "bunx sophia-run",
    "uvx sophia-run",
    "pnpm dlx sophia-run init",
    '"sophia-run": "^0.1.0"',
    'dependencies = ["fastapi", "sophia-run", "uvicorn"]',
  ])("finds %s", (line) => {
    expect(asksRegistry(line)).toBe(true);
  });

  test.each([
    `npm install --save-prod ./${TARBALL_NAME}`,
    `yarn add sophia-run@file:./${TARBALL_NAME}`,
    "npx --no-install sophia-run check",
    "pnpm exec sophia-run check and pnpm exec sophia-run docs",
    "uv run sophia-run -- uvicorn main:app",
    "bunx --no-install sophia-run check",
    '"sophia-run": "file:sophia-run-0.1.0.tgz"',
    "npm start; sophia-run -- node x",
    "sophia-run -- npm run build",
  ])("ignores %s", (line) => {
    expect(asksRegistry(line)).toBe(false);
  });
});

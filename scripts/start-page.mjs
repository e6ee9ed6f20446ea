// Writes docs/measurements/start.md, which lists what a plain start does: each system call on files, network and processes of the executable
// for Linux, as strace reports it, and each function of the package. Every call has an explanation in start/explanations.mjs; a
// call that has none is an error, so that a change which makes a start do something new must say why.
//
//   node scripts/start-page.mjs            # needs strace, `npm run build` and `npm run build:standalone`
//   node scripts/start-page.mjs --check    # compares the page in place of writing it
//
// Ends with status 1 if the page differs or a call is not explained, and with 2 and the reason if this machine cannot do it.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "oxfmt";
import { executedFunctions } from "./start/executed-functions.mjs";
import { importedModules } from "./start/imported-modules.mjs";
import { explainCalls } from "./start/explanations.mjs";
import { OTHER_CALLS, tracedCalls } from "./start/traced-calls.mjs";

const root = join(import.meta.dirname, "..");
const page = join(root, "docs/measurements/start.md");
const executable = join(root, "dist-standalone/sophia-run-linux-x64");
/** A start reads the files of this folder, where Docker and Podman put secrets. */
const SECRETS_FOLDER = "/run/secrets";
/** As .oxfmtrc.json has it. */
const FORMAT = { printWidth: 120, embeddedLanguageFormatting: "off", proseWrap: "always" };
/** The lines around the text that this script makes. */
const [FIRST_LINE, LAST_LINE] = ["<!-- made by scripts/start-page.mjs -->", "<!-- end -->"];

const obstacle = findObstacle();
if (obstacle === undefined) {
  const project = createProject();
  try {
    await writePage(project);
  } finally {
    rmSync(project, { recursive: true });
  }
} else {
  process.stderr.write(`not run: ${obstacle}\n`);
  process.exitCode = 2;
}

function findObstacle() {
  if (process.platform !== "linux" || process.arch !== "x64") return "the page shows a start on Linux with x64";
  if (!existsSync(executable)) return "the executable is not built\n  npm run build:standalone";
  if (!existsSync(join(root, "dist/linux-x64.node"))) return "the package is not built\n  npm run build";
  if (existsSync(SECRETS_FOLDER)) return `the page shows a start without ${SECRETS_FOLDER}, which this machine has`;
  const isInstalled = process.env["PATH"].split(":").some((folder) => existsSync(join(folder, "strace")));
  return isInstalled ? undefined : "strace is missing\n  apt-get install strace";
}

/** Returns a folder with a contract and a `.env`, which is the root of a repository. */
function createProject() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "sophia-run-start-")));
  mkdirSync(join(folder, ".git"));
  writeFileSync(
    join(folder, "sophia.contract.json"),
    '{ "variables": { "PORT": { "format": "port", "required": true } } }\n',
  );
  writeFileSync(join(folder, ".env"), "PORT=8080\n", { mode: 0o600 });
  return folder;
}

async function writePage(project) {
  const env = { PATH: "/usr/bin", HOME: project };
  const args = ["--", "true"];
  const { steps, unexplained } = explainCalls(tracedCalls(executable, args, { cwd: project, env }));
  if (unexplained.length > 0) {
    process.stderr.write(`scripts/start/explanations.mjs has no explanation for:\n  ${unexplained.join("\n  ")}\n`);
    process.exitCode = 1;
    return;
  }
  const functions = await executedFunctions(args, { cwd: project, env });
  const text = readFileSync(page, "utf8");
  const [before, rest] = text.split(`${FIRST_LINE}\n`);
  const after = rest.slice(rest.indexOf(LAST_LINE));
  const unformatted = `${before}${FIRST_LINE}\n\n${listCalls(steps)}\n${listFunctions(functions)}\n${after}`;
  const { code: made, errors } = await format(page, unformatted, FORMAT);
  if (errors.length > 0) throw new Error(errors[0].message);
  if (!process.argv.includes("--check")) writeFileSync(page, made);
  else if (made !== text) {
    const known = new Set(text.split("\n"));
    const differing = made.split("\n").filter((line) => !known.has(line));
    process.stderr.write(
      `docs/measurements/start.md does not show what this start did:\n  ${differing.join("\n  ")}\n`,
    );
    process.stderr.write("If this is meant: node scripts/start-page.mjs\n");
    process.exitCode = 1;
  }
}

function listCalls(steps) {
  const items = steps.map(({ path, calls, why }) => `1. ${code(path)}, by ${calls.map(code).join(", ")}${why}`);
  const others = Array.from(OTHER_CALLS, ([purpose, names]) => `- ${purpose}: ${names.map(code).join(", ")}.`);
  return `## System calls

These are all calls of a start that open, examine, connect or execute something, in order. ${code("PROJECT")} is the project's folder.

${items.join("\n")}

All other calls concern only this process:

${others.join("\n")}
`;
}

function listFunctions(functions) {
  const total = Array.from(functions.values()).reduce((sum, names) => sum + names.size, 0);
  const items = Array.from(functions, ([file, names]) => {
    const modules = importedModules(root, file);
    const reach = modules.length === 0 ? "" : ` Uses ${modules.map(code).join(", ")}.`;
    return `- [${file}](../../${file}): ${Array.from(names, code).join(", ")}.${reach}`;
  });
  return `## Functions

The npm package and the executable run the same code: ${total} functions in ${functions.size} files for this start. Only by a module of
Node.js or by the addon in C can code reach files, the network or processes. Behind the functions of each file is what it uses of
them. Most files only compute.

${items.join("\n")}
`;
}

function code(text) {
  return `\`${text}\``;
}

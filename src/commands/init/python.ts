/**
 * Returns the steps of `init` for a Python project: the dependency on sophia-run, and the commands that start its programs.
 */
import {
  FETCH_WHEEL_COMMANDS,
  IS_ON_REGISTRIES,
  linuxWheelTag,
  pythonPackageArgument,
} from "../parts/package-source.ts";
import { attempt } from "../../system/errors.ts";
import { objectOf } from "./package-json.ts";
import type { SetupStep } from "./setup-step.ts";
import { parseToml } from "./tools/toml.ts";

/**
 * The installers of Python packages. pip has two names: `pip` installs the packages in requirements.txt, and `pip .` the
 * project itself with the dependencies in its pyproject.toml.
 */
export type PythonTool = "uv" | "poetry" | "pdm" | "pip" | "pip .";

interface PythonToolCommands {
  /** Adds sophia-run to the dependencies. pip has no such command. */
  readonly add?: string;
  /** Installs the dependencies of the project. */
  readonly install: string;
  /** The words, with a space, before a command of an installed package. */
  readonly runPrefix: string;
}

const PACKAGE = pythonPackageArgument(wheelTag());

export const PYTHON_TOOLS: Readonly<Record<PythonTool, PythonToolCommands>> = {
  uv: { add: `uv add ${PACKAGE}`, install: "uv sync", runPrefix: "uv run " },
  poetry: { add: `poetry add ${PACKAGE}`, install: "poetry install", runPrefix: "poetry run " },
  pdm: { add: `pdm add ${PACKAGE}`, install: "pdm install", runPrefix: "pdm run " },
  pip: { install: "pip install --requirement requirements.txt", runPrefix: "" },
  "pip .": { install: "pip install .", runPrefix: "" },
};

/** Returns the platform tag in the name of the wheel for this computer, such as `win_amd64`. */
function wheelTag(): string {
  const isArm = process.arch === "arm64";
  if (process.platform === "win32") return "win_amd64";
  if (process.platform === "darwin") return `macosx_13_0_${isArm ? "arm64" : "x86_64"}`;
  return linuxWheelTag(isArm ? "aarch64" : "x86_64");
}

/** The packages that start programs, each with its usual command. */
const START_COMMANDS: readonly (readonly [packageName: RegExp, command: (module: string) => string])[] = [
  [/\buvicorn\b/i, (module) => `uvicorn ${module}:app`],
  [/\bgunicorn\b/i, (module) => `gunicorn ${module}:app`],
  [/\bdjango\b/i, () => "python manage.py runserver"],
  [/\bcelery\b/i, (module) => `celery --app ${module} worker`],
  [/\bpytest\b/i, () => "pytest"],
];

/** The usual names of a program, in the order in which they are tried. */
const PROGRAMS = ["main.py", "app.py", "manage.py", "server.py", "run.py"];

/**
 * The dependency on sophia-run: a line of requirements.txt (`sophia-run>=1.0`), a key of Poetry (`sophia-run = "^1.0"`), an
 * item of a list (`"sophia-run[x]>=1.0"`), or the path of the wheel.
 */
const DEPENDENCY =
  /^[ \t]*(?:\.\/sophia_run-[\w.-]+\.whl[ \t]*$|sophia[-_.]run[ \t]*(?:$|[[<>=~!;@]))|["']sophia[-_.]run[ \t]*["'[<>=~!;@]/im;

/** Returns true if a pyproject.toml or a requirements.txt has sophia-run among the dependencies. */
export function hasPythonDependency(text: string): boolean {
  return DEPENDENCY.test(text);
}

/** The parts of a pyproject.toml that `init` uses. */
export interface Pyproject {
  /** The name of the project; of any type, since another program wrote the file. */
  readonly name: unknown;
  /** The names of the tables below `tool`, such as `poetry`. */
  readonly tools: readonly string[];
}

/** Parses a pyproject.toml. For a text that is not TOML the result is empty, since the installer reports that fault. */
export function parsePyproject(text: string): Pyproject {
  const { project, tool } = attempt(() => parseToml(text)) ?? {};
  const tools = objectOf(tool) ?? {};
  return { name: objectOf(project)?.["name"] ?? objectOf(tools["poetry"])?.["name"], tools: Object.keys(tools) };
}

/** Returns the installer of a Python project, by its lock file or its table in pyproject.toml. */
export function findPythonTool(
  pyproject: Pyproject | undefined,
  fileExists: (file: string) => boolean,
): PythonTool | undefined {
  const hasTable = (tool: string): boolean => pyproject?.tools.includes(tool) === true;
  const namedTool = (["uv", "poetry", "pdm"] as const).find((tool) => fileExists(`${tool}.lock`) || hasTable(tool));
  if (namedTool !== undefined) return namedTool;
  if (pyproject !== undefined) return "pip .";
  return fileExists("requirements.txt") ? "pip" : undefined;
}

/** Returns the advice to add sophia-run to the dependencies in a file. */
function dependencyStep(file: string, tool: PythonTool): SetupStep {
  const finding = "sophia-run is not among its dependencies";
  const { add, install } = PYTHON_TOOLS[tool];
  const adviceToRun = (...commands: readonly string[]): SetupStep => ({
    kind: "advise",
    file,
    title: `${finding}; run`,
    lines: [...FETCH_WHEEL_COMMANDS, ...commands],
  });
  if (add !== undefined) return adviceToRun(add);
  if (FETCH_WHEEL_COMMANDS.length > 0) {
    // The wheel is a file in the folder. A dependency in pyproject.toml can be a URL, but not a path (PEP 508).
    if (file === "pyproject.toml") return adviceToRun(`pip install ${PACKAGE}`);
    return adviceToRun(`echo ${PACKAGE} >> ${file}`, install);
  }
  const requirement = IS_ON_REGISTRIES ? PACKAGE : `sophia-run @ ${PACKAGE}`;
  const line = file === "pyproject.toml" ? `"${requirement}",` : requirement;
  return { kind: "advise", file, title: `${finding}; add`, lines: [line], remark: `then ${install}` };
}

/**
 * Returns the steps for a Python project; none if the folder has neither a pyproject.toml nor a requirements.txt.
 *
 * @param file the file with the dependencies: pyproject.toml or requirements.txt
 * @param text the text of this file; undefined if it does not exist
 */
export function createPythonSteps(
  file: string,
  text: string | undefined,
  tool: PythonTool | undefined,
  fileExists: (file: string) => boolean,
): readonly SetupStep[] {
  if (text === undefined || tool === undefined) return [];
  const { runPrefix } = PYTHON_TOOLS[tool];
  const program = PROGRAMS.find(fileExists);
  const module = program?.replace(/\.py$/, "") ?? "main";
  const knownCommands = START_COMMANDS.filter(([packageName]) => packageName.test(text)).map(([, command]) =>
    command(module),
  );
  const commands = knownCommands.length > 0 ? knownCommands : [`python ${program ?? "PROGRAM.py"}`];
  const remark = `sophia-run itself needs no Python; ${runPrefix}sophia-run docs --types python writes a typed settings class`;
  return [
    hasPythonDependency(text) ? { kind: "ready", file } : dependencyStep(file, tool),
    {
      kind: "advise",
      file,
      title: "start programs with",
      lines: commands.map((command) => `${runPrefix}sophia-run -- ${command}`),
      remark,
    },
  ];
}

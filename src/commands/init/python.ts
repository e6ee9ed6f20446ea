/** A Python project: the dependency on sophia-run, and how its programs are started. */
import { FETCH_WHEEL, IS_ON_REGISTRIES, linuxWheelTag, pythonPackage } from "../parts/package-source.ts";
import { attempt } from "../../system/errors.ts";
import { objectOf } from "./package-json.ts";
import type { SetupStep } from "./setup-step.ts";
import { parseToml } from "./tools/toml.ts";

/** `pip .` if a pyproject.toml names the dependencies, `pip` if requirements.txt does. */
export type PythonTool = "uv" | "poetry" | "pdm" | "pip" | "pip .";

interface PythonToolCommands {
  readonly add?: string;
  readonly install: string;
  readonly run: string;
}

const PACKAGE = pythonPackage(wheelTag());

export const PYTHON_TOOLS: Readonly<Record<PythonTool, PythonToolCommands>> = {
  uv: { add: `uv add ${PACKAGE}`, install: "uv sync", run: "uv run " },
  poetry: { add: `poetry add ${PACKAGE}`, install: "poetry install", run: "poetry run " },
  pdm: { add: `pdm add ${PACKAGE}`, install: "pdm install", run: "pdm run " },
  pip: { install: "pip install --requirement requirements.txt", run: "" },
  "pip .": { install: "pip install .", run: "" },
};

function wheelTag(): string {
  const isArm = process.arch === "arm64";
  if (process.platform === "win32") return "win_amd64";
  if (process.platform === "darwin") return `macosx_13_0_${isArm ? "arm64" : "x86_64"}`;
  return linuxWheelTag(isArm ? "aarch64" : "x86_64");
}

const STARTS: readonly (readonly [name: RegExp, command: (module: string) => string])[] = [
  [/\buvicorn\b/i, (module) => `uvicorn ${module}:app`],
  [/\bgunicorn\b/i, (module) => `gunicorn ${module}:app`],
  [/\bdjango\b/i, () => "python manage.py runserver"],
  [/\bcelery\b/i, (module) => `celery --app ${module} worker`],
  [/\bpytest\b/i, () => "pytest"],
];

const PROGRAMS = ["main.py", "app.py", "manage.py", "server.py", "run.py"];

/** A line of requirements.txt, a key of Poetry, or a text in a list, with a version or an extra behind the name; or the wheel. */
const DEPENDENCY =
  /^[ \t]*(?:\.\/sophia_run-[\w.-]+\.whl[ \t]*$|sophia[-_.]run[ \t]*(?:$|[[<>=~!;@]))|["']sophia[-_.]run[ \t]*["'[<>=~!;@]/im;

/** @param text that of pyproject.toml or requirements.txt */
export function hasPythonDependency(text: string): boolean {
  return DEPENDENCY.test(text);
}

/** The parts of a pyproject.toml that init uses. */
export interface Pyproject {
  readonly name: unknown;
  /** The names of the tables below `tool`. */
  readonly tools: readonly string[];
}

/** Returns the parts of a pyproject.toml; none of them if it is no TOML, which its installer reports. */
export function pyprojectOf(text: string): Pyproject {
  const { project, tool } = attempt(() => parseToml(text)) ?? {};
  const tools = objectOf(tool) ?? {};
  return { name: objectOf(project)?.["name"] ?? objectOf(tools["poetry"])?.["name"], tools: Object.keys(tools) };
}

/** Returns the installer of a Python project, by its lock file or its table in pyproject.toml. */
export function pythonTool(
  pyproject: Pyproject | undefined,
  isThere: (file: string) => boolean,
): PythonTool | undefined {
  const hasTable = (tool: string): boolean => pyproject?.tools.includes(tool) === true;
  const named = (["uv", "poetry", "pdm"] as const).find((tool) => isThere(`${tool}.lock`) || hasTable(tool));
  if (named !== undefined) return named;
  if (pyproject !== undefined) return "pip .";
  return isThere("requirements.txt") ? "pip" : undefined;
}

function dependencyStep(file: string, tool: PythonTool): SetupStep {
  const missing = "sophia-run is not among its dependencies";
  const { add, install } = PYTHON_TOOLS[tool];
  const run = (...lines: readonly string[]): SetupStep => ({
    kind: "advise",
    file,
    title: `${missing}; run`,
    lines: [...FETCH_WHEEL, ...lines],
  });
  if (add !== undefined) return run(add);
  if (FETCH_WHEEL.length > 0) {
    // A requirement of pyproject.toml may have an address, and no path (PEP 508).
    return file === "pyproject.toml" ? run(`pip install ${PACKAGE}`) : run(`echo ${PACKAGE} >> ${file}`, install);
  }
  const requirement = IS_ON_REGISTRIES ? PACKAGE : `sophia-run @ ${PACKAGE}`;
  const line = file === "pyproject.toml" ? `"${requirement}",` : requirement;
  return { kind: "advise", file, title: `${missing}; add`, lines: [line], remark: `then ${install}` };
}

/** @param text that of pyproject.toml, else of requirements.txt; undefined if there is neither */
export function pythonSteps(
  file: string,
  text: string | undefined,
  tool: PythonTool | undefined,
  isThere: (file: string) => boolean,
): readonly SetupStep[] {
  if (text === undefined || tool === undefined) return [];
  const { run } = PYTHON_TOOLS[tool];
  const program = PROGRAMS.find(isThere);
  const module = program?.replace(/\.py$/, "") ?? "main";
  const found = STARTS.filter(([name]) => name.test(text)).map(([, command]) => command(module));
  const commands = found.length === 0 ? [`python ${program ?? "PROGRAM.py"}`] : found;
  const remark = `sophia-run itself needs no Python; ${run}sophia-run docs --types python writes a typed settings class`;
  return [
    hasPythonDependency(text) ? { kind: "ready", file } : dependencyStep(file, tool),
    {
      kind: "advise",
      file,
      title: "start programs with",
      lines: commands.map((command) => `${run}sophia-run -- ${command}`),
      remark,
    },
  ];
}

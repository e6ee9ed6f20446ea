/** A project of Python as a place of use: the dependency, and how its programs are started. */
import type { Place, PythonTool } from "./place.ts";

/** How each tool adds a dependency, makes a checkout ready, and starts a command of the environment. */
export const PYTHON_TOOLS: Readonly<Record<PythonTool, { add: string; install: string; run: string }>> = {
  uv: { add: "uv add sophia-run", install: "uv sync", run: "uv run " },
  poetry: { add: "poetry add sophia-run", install: "poetry install", run: "poetry run " },
  pdm: { add: "pdm add sophia-run", install: "pdm install", run: "pdm run " },
  pip: { add: "pip install sophia-run", install: "pip install sophia-run", run: "" },
};

/** Servers and tools by the package that brings them: how each is started, with a module. */
const STARTS: readonly (readonly [name: RegExp, command: (module: string) => string])[] = [
  [/\buvicorn\b/i, (module) => `uvicorn ${module}:app`],
  [/\bgunicorn\b/i, (module) => `gunicorn ${module}:app`],
  [/\bdjango\b/i, () => "python manage.py runserver"],
  [/\bcelery\b/i, (module) => `celery --app ${module} worker`],
  [/\bpytest\b/i, () => "pytest"],
];

/** Where programs begin, by custom. */
const PROGRAMS = ["main.py", "app.py", "manage.py", "server.py", "run.py"];

/** As a line of requirements.txt, a key of Poetry's, or a text in a list; what stands behind it is a version or an extra. */
const DEPENDENCY = /^\s*sophia[-_.]run\s*(?:$|[[<>=~!;@])|["']sophia[-_.]run\s*["'[<>=~!;@]/im;

/** What sets a Python project up. @param isThere whether the folder has a file of the name */
export function pythonTool(pyproject: string | undefined, isThere: (file: string) => boolean): PythonTool | undefined {
  if (isThere("uv.lock") || /^\[tool\.uv\b/m.test(pyproject ?? "")) return "uv";
  if (isThere("poetry.lock") || /^\[tool\.poetry\b/m.test(pyproject ?? "")) return "poetry";
  if (isThere("pdm.lock") || /^\[tool\.pdm\b/m.test(pyproject ?? "")) return "pdm";
  return pyproject !== undefined || isThere("requirements.txt") ? "pip" : undefined;
}

/** What adds the dependency: a command, or for pip, which writes down none, a line. */
function dependencyPlace(file: string, tool: PythonTool): Place {
  const missing = "sophia-run is not among its dependencies";
  const { add } = PYTHON_TOOLS[tool];
  if (tool !== "pip") return { kind: "advise", file, title: `${missing}; run`, lines: [add] };
  const line = file === "pyproject.toml" ? '"sophia-run",' : "sophia-run";
  return { kind: "advise", file, title: `${missing}; add`, lines: [line], remark: `then ${add}` };
}

/**
 * @param text that of pyproject.toml, else of requirements.txt; nothing is to be done where there is neither
 * @param isThere whether the folder has a file of the name
 */
export function pythonProject(
  file: string,
  text: string | undefined,
  tool: PythonTool | undefined,
  isThere: (file: string) => boolean,
): readonly Place[] {
  if (text === undefined || tool === undefined) return [];
  const { run } = PYTHON_TOOLS[tool];
  const remark = {
    remark: `no Python starts for it; ${run}sophia-run docs --types python writes a typed settings class`,
  };
  const program = PROGRAMS.find(isThere);
  const module = program?.replace(/\.py$/, "") ?? "main";
  const found = STARTS.filter(([name]) => name.test(text)).map(([, command]) => command(module));
  const commands = found.length === 0 ? [`python ${program ?? "PROGRAM.py"}`] : found;
  const lines = commands.map((command) => `${run}sophia-run -- ${command}`);
  return [
    DEPENDENCY.test(text) ? { kind: "ready", file } : dependencyPlace(file, tool),
    { kind: "advise", file, title: "start programs by", lines, ...remark },
  ];
}

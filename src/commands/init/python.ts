/** A project of Python as a place of use: the dependency, and how its programs are started. */
import type { Place, PythonTool } from "./place.ts";

/** How each tool adds a dependency, makes a checkout ready, and starts a command of the environment. */
export const PYTHON_TOOLS: Readonly<Record<PythonTool, { add: string; install: string; run: string }>> = {
  uv: { add: "uv add sophia-run", install: "uv sync", run: "uv run " },
  poetry: { add: "poetry add sophia-run", install: "poetry install", run: "poetry run " },
  pdm: { add: "pdm add sophia-run", install: "pdm install", run: "pdm run " },
  pip: { add: "pip install sophia-run", install: "pip install sophia-run", run: "" },
};

/** Servers and tools by the package that brings them: how each is started. */
const STARTS: readonly (readonly [name: RegExp, command: string])[] = [
  [/\buvicorn\b/i, "uvicorn main:app"],
  [/\bgunicorn\b/i, "gunicorn main:app"],
  [/\bdjango\b/i, "python manage.py runserver"],
  [/\bcelery\b/i, "celery --app main worker"],
  [/\bpytest\b/i, "pytest"],
];

/** As a line of requirements.txt, a key of Poetry's, or a text in a list; what stands behind it is a version or an extra. */
const DEPENDENCY = /^\s*sophia[-_.]run\s*(?:$|[[<>=~!;@])|["']sophia[-_.]run\s*["'[<>=~!;@]/im;

/** What sets a Python project up. @param isThere whether the folder has a file of the name */
export function pythonTool(pyproject: string | undefined, isThere: (file: string) => boolean): PythonTool | undefined {
  if (isThere("uv.lock") || /^\[tool\.uv\b/m.test(pyproject ?? "")) return "uv";
  if (isThere("poetry.lock") || /^\[tool\.poetry\b/m.test(pyproject ?? "")) return "poetry";
  if (isThere("pdm.lock") || /^\[tool\.pdm\b/m.test(pyproject ?? "")) return "pdm";
  return pyproject !== undefined || isThere("requirements.txt") ? "pip" : undefined;
}

/** @param text that of pyproject.toml, else of requirements.txt; nothing is to be done where there is neither */
export function pythonProject(file: string, text: string | undefined, tool: PythonTool | undefined): readonly Place[] {
  if (text === undefined || tool === undefined) return [];
  const { add, run } = PYTHON_TOOLS[tool];
  const hasIt = DEPENDENCY.test(text);
  const remark = {
    remark: `no Python starts for it; ${run}sophia-run docs --types python writes a typed settings class`,
  };
  const found = STARTS.filter(([name]) => name.test(text)).map(([, command]) => command);
  const commands = (found.length === 0 ? ["python main.py"] : found).map((command) => `${run}sophia-run -- ${command}`);
  return [
    ...(hasIt
      ? [{ kind: "ready", file } as const]
      : [{ kind: "advise", file, title: "sophia-run is not among its dependencies; run", lines: [add] } as const]),
    { kind: "advise", file, title: "start programs by", lines: commands, ...remark },
  ];
}

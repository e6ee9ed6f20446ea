/**
 * Chooses the files that `sophia-run docs` writes if the user names none, and the style of the Python module, to fit the
 * project.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readFileIn } from "../parts/project-files.ts";
import { isWrittenByDocs } from "./mark.ts";
import { type PythonStyle, pythonStyleOf } from "./python-settings.ts";

const SETTINGS_MODULE = "settings.py";

/** The values of `--types`. */
export const TYPE_LANGUAGES = ["typescript", "python", "pydantic"] as const;
export type TypeLanguage = (typeof TYPE_LANGUAGES)[number];

/** The files in which Python projects name their dependencies. */
const PYTHON_MANIFESTS = ["pyproject.toml", "requirements.txt", "setup.cfg", "Pipfile"];

/** Returns the names of the files that `docs` writes into the folder of the contract. */
export async function findDefaultFiles(folder: string, types: TypeLanguage | undefined): Promise<readonly string[]> {
  const hasOurSettings = isWrittenByDocs((await readFileIn(folder, SETTINGS_MODULE)) ?? "");
  const wantsPython = hasOurSettings || types === "python" || types === "pydantic";
  const wantsTypeScript = types === "typescript" || (await hasTypeScript(folder));
  return [
    "SECRETS.md",
    ".env.example",
    ...(wantsTypeScript ? ["env.d.ts"] : []),
    ...(wantsPython ? [SETTINGS_MODULE] : []),
  ];
}

async function hasTypeScript(folder: string): Promise<boolean> {
  if (["tsconfig.json", "env.d.ts"].some((name) => existsSync(join(folder, name)))) return true;
  // The manifest is searched rather than parsed, since it may be malformed.
  return /"typescript"\s*:\s*"/.test((await readFileIn(folder, "package.json")) ?? "");
}

/**
 * Chooses the style of the Python module: the one that `--types` names, otherwise the style of the existing module,
 * otherwise the one that fits the dependencies.
 *
 * @param currentText the text of the existing module
 * @param folders the folders whose dependencies decide
 */
export async function choosePythonStyle(
  currentText: string,
  types: TypeLanguage | undefined,
  folders: readonly string[],
): Promise<PythonStyle> {
  if (types === "pydantic") return types;
  if (types === undefined && isWrittenByDocs(currentText)) return pythonStyleOf(currentText);
  const manifests = await Promise.all(
    folders.flatMap((folder) => PYTHON_MANIFESTS.map((name) => readFileIn(folder, name))),
  );
  return manifests.some((text) => /\bpydantic[-_.]settings\b/i.test(text ?? "")) ? "pydantic" : "dataclass";
}

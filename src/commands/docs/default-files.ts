/** The files that `docs` writes if the user names none, and the style of the Python module, as they fit the project. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readIn } from "../parts/project-files.ts";
import { isOurs } from "./mark.ts";
import { type PythonStyle, styleOf } from "./python-settings.ts";

const SETTINGS_MODULE = "settings.py";

/** The values of `--types`. */
export const TYPES = ["typescript", "python", "pydantic"] as const;
export type Types = (typeof TYPES)[number];

/** The files in which Python projects name their dependencies. */
const PYTHON_MANIFESTS = ["pyproject.toml", "requirements.txt", "setup.cfg", "Pipfile"];

/** Returns the names of the files that `docs` writes into the folder of the contract. */
export async function findDefaultFiles(folder: string, types: Types | undefined): Promise<readonly string[]> {
  const hasOurSettings = isOurs((await readIn(folder, SETTINGS_MODULE)) ?? "");
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
  return /"typescript"\s*:\s*"/.test((await readIn(folder, "package.json")) ?? "");
}

/**
 * Chooses the style of the Python module: the one that `--types` names, then that of the existing module, then the one that
 * fits the dependencies in the folders.
 *
 * @param current the text of the existing module
 */
export async function choosePythonStyle(
  current: string,
  types: Types | undefined,
  folders: readonly string[],
): Promise<PythonStyle> {
  if (types === "pydantic") return types;
  if (types === undefined && isOurs(current)) return styleOf(current);
  const manifests = await Promise.all(
    folders.flatMap((folder) => PYTHON_MANIFESTS.map((name) => readIn(folder, name))),
  );
  return manifests.some((text) => /\bpydantic[-_.]settings\b/i.test(text ?? "")) ? "pydantic" : "dataclass";
}

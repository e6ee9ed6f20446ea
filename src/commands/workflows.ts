import { readdirSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../system/errors.ts";
import { readIfThere } from "./files.ts";

export interface WorkflowFile {
  readonly name: string;
  readonly text: string;
}

/** Reads the GitHub Actions workflows of a repository, by name. @throws SophiaError (file, 125) if one cannot be read */
export async function workflowsIn(root: string): Promise<readonly WorkflowFile[]> {
  const folder = join(root, ".github", "workflows");
  const read = async (name: string): Promise<readonly WorkflowFile[]> => {
    const text = await readIfThere({ path: join(folder, name), name: `.github/workflows/${name}` });
    return text === undefined ? [] : [{ name, text }];
  };
  return (await Promise.all(namesIn(folder).map(read))).flat();
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

/**
 * Chooses the JSON schema that a new contract names in `$schema`, so that editors check the contract while the user writes
 * it. An editor needs no network for that: the schema is in the installed package, or `init` writes it beside the contract.
 */
import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Context } from "../../core/context.ts";
import { printReport } from "../../output/colour.ts";
import { readFileIn, writeTextFile } from "../parts/project-files.ts";
import { targetFile } from "./setup-step.ts";

const INSTALLED_SCHEMA = "node_modules/sophia-run/schema/sophia.contract.schema.json";
/** The file beside the contract, if the package is not installed in the project. */
export const SCHEMA_FILE = "sophia.contract.schema.json";

/** The schema of one contract. */
export interface SchemaChoice {
  /** The value of `$schema`: a path from the contract. */
  readonly address: string;
  /** True if the contract needs the schema beside it, and this file does not exist. */
  readonly isMissing: boolean;
}

/**
 * Chooses the schema for a contract. `root` is the root of the workspace, which may have the package instead of the
 * project.
 */
export function chooseSchema({ project }: Context, root: string): SchemaChoice {
  const folder = [project, root].find((candidate) => existsSync(join(candidate, INSTALLED_SCHEMA)));
  if (folder === undefined) {
    return { address: `./${SCHEMA_FILE}`, isMissing: !existsSync(join(project, SCHEMA_FILE)) };
  }
  const pathToFolder = relative(project, folder).replaceAll(sep, "/") || ".";
  return { address: `${pathToFolder}/${INSTALLED_SCHEMA}`, isMissing: false };
}

/** Writes the schema beside the contract. @throws SophiaError (file, 125) */
export async function createSchema(context: Context): Promise<void> {
  writeTextFile(targetFile(SCHEMA_FILE, context), await schemaFileText(), "wx");
}

/** Replaces a schema that an earlier version of `init` wrote. @throws SophiaError (file, 125) */
export async function updateSchema(context: Context): Promise<void> {
  const currentText = await readFileIn(context.project, SCHEMA_FILE);
  const newText = await schemaFileText();
  if (currentText === undefined || currentText === newText) return;
  writeTextFile(targetFile(SCHEMA_FILE, context), newText);
  printReport(context, [`changed ${SCHEMA_FILE}: the format of this version`]);
}

/** Returns the text of the file. Its source is loaded only here, since it is large. */
async function schemaFileText(): Promise<string> {
  const { schemaText } = await import("../../contract/generated/schema-text.ts");
  return `${JSON.stringify(JSON.parse(schemaText), undefined, 2)}\n`;
}

/** The source `tools` of a new contract: the files in which other tools describe a project's variables. */
import { enumerate } from "../../../core/text.ts";
import { readFileWithinRepository } from "../../parts/project-files.ts";
import type { SourceResult } from "../variable-candidates.ts";
import type { ToolResult } from "./tool-variable.ts";
import { parseEnvSchema } from "./env-schema.ts";
import { parseSecretspec } from "./secretspec.ts";
import { parseDoppler, parseInfisical, parseDotenvVault } from "./stores.ts";

/** The parsers by the names of their files. The files of stores.ts name no variable, so that a remark says where the values are. */
const PARSERS: Readonly<Record<string, (text: string) => ToolResult>> = {
  ".env.schema": parseEnvSchema,
  "secretspec.toml": parseSecretspec,
  "doppler.yaml": parseDoppler,
  ".infisical.json": parseInfisical,
  ".env.vault": parseDotenvVault,
};

export const TOOL_FILES: readonly string[] = Object.keys(PARSERS);

/**
 * Reads the files of other tools.
 *
 * @returns undefined if the project has none of them
 * @throws SophiaError (file, 125) if one cannot be read
 */
export async function readToolFiles(project: string): Promise<SourceResult | undefined> {
  const results: (readonly [string, ToolResult])[] = [];
  for (const [name, parse] of Object.entries(PARSERS)) {
    const text = await readFileWithinRepository(project, name);
    if (text !== undefined) results.push([name, parse(text)]);
  }
  if (results.length === 0) return undefined;
  const filesWithVariables = results.filter(([, { candidates }]) => candidates.length > 0).map(([name]) => name);
  return {
    candidates: results.flatMap(([file, { candidates }]) => candidates.map((candidate) => ({ ...candidate, file }))),
    source: enumerate(filesWithVariables.length > 0 ? filesWithVariables : results.map(([name]) => name)),
    remarks: results.flatMap(([, { remarks = [] }]) => remarks),
  };
}

/** Reads the files by which other tools describe a project's variables, for `init`. */
import { enumerate } from "../../../core/text.ts";
import { readWithin } from "../../parts/project-files.ts";
import type { SourceResult } from "../variable-candidates.ts";
import type { ToolResult } from "./details.ts";
import { fromEnvSchema } from "./env-schema.ts";
import { fromSecretspec } from "./secretspec.ts";
import { fromDoppler, fromInfisical, fromVault } from "./stores.ts";

/** The files by their names. Those of stores name a project and no variable: a remark says where its values are. */
const FILES: Readonly<Record<string, (text: string) => ToolResult>> = {
  ".env.schema": fromEnvSchema,
  "secretspec.toml": fromSecretspec,
  "doppler.yaml": fromDoppler,
  ".infisical.json": fromInfisical,
  ".env.vault": fromVault,
};

export const TOOL_FILES: readonly string[] = Object.keys(FILES);

/** @returns undefined if there is none of the files @throws SophiaError (file, 125) if one cannot be read */
export async function fromTools(cwd: string): Promise<SourceResult | undefined> {
  const results: (readonly [string, ToolResult])[] = [];
  for (const [name, read] of Object.entries(FILES)) {
    const text = await readWithin(cwd, name);
    if (text !== undefined) results.push([name, read(text)]);
  }
  if (results.length === 0) return undefined;
  const named = results.filter(([, { candidates }]) => candidates.length > 0).map(([name]) => name);
  return {
    candidates: results.flatMap(([file, { candidates }]) => candidates.map((candidate) => ({ ...candidate, file }))),
    source: enumerate(named.length > 0 ? named : results.map(([name]) => name)),
    remarks: results.flatMap(([, { remarks = [] }]) => remarks),
  };
}

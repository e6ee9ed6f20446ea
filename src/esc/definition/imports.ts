import { type FullName, isOrganization } from "../settings/names.ts";

export const MOST_ENVIRONMENTS = 100;

/** Reads the imports of a definition as it writes them. @returns undefined if the text does not show them */
export async function readImports(yaml: string): Promise<readonly string[] | undefined> {
  // The parser is loaded only if there is a list.
  if (!/^\s*["']?imports\b/m.test(yaml) && !yaml.trimStart().startsWith("{")) return [];
  const [{ importsOf }, { parseDefinition }] = await Promise.all([import("./follow.ts"), import("./nodes.ts")]);
  try {
    return importsOf(parseDefinition(yaml));
  } catch {
    return undefined;
  }
}

/** Resolves `project/name`, or the old form `name`, of an import. @returns undefined for an invalid name */
export function importedName(written: string, { organization }: FullName): FullName | undefined {
  const [path = "", version] = written.split("@", 2);
  const parts = path.split("/");
  const [name = "", project = "default", own = ""] = parts.toReversed();
  if (parts.length > 3 || name === "" || project === "") return undefined;
  const owner = isOrganization(own) ? own : organization;
  return { organization: owner, project, name, version: version === "latest" ? undefined : version };
}

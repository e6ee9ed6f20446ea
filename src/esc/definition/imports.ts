import { type FullName, isOrganization } from "../settings/names.ts";

/** The most environments whose imports are followed. */
export const MOST_ENVIRONMENTS = 100;

/** Reads the imports of a definition as it writes them. @returns undefined if the text does not tell */
export async function readImports(yaml: string): Promise<readonly string[] | undefined> {
  // The parser is loaded only if there is a list.
  if (!/^\s*["']?imports\b/m.test(yaml) && !yaml.trimStart().startsWith("{")) return [];
  const { parseDocument } = await import("yaml");
  try {
    const document = parseDocument(yaml, { logLevel: "silent" });
    const content: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 });
    if (typeof content !== "object" || content === null) return undefined;
    const imports: unknown = "imports" in content ? content.imports : [];
    if (imports === null) return [];
    if (!Array.isArray(imports)) return undefined;
    const names = imports.map((one: unknown) =>
      // `- project/name: {merge: false}`
      typeof one === "object" && one !== null ? Object.keys(one)[0] : typeof one === "string" ? one : undefined,
    );
    return names.flatMap((name) => name ?? []);
  } catch {
    return undefined;
  }
}

/**
 * Resolves an import as a definition of the same organization writes it: `project/name`, or the old form `name` in the
 * project `default`, both with `@version`.
 *
 * @returns undefined for an invalid name
 */
export function importedName(written: string, { organization }: FullName): FullName | undefined {
  const [path = "", version] = written.split("@", 2);
  const parts = path.split("/");
  const [name = "", project = "default", own = ""] = parts.toReversed();
  if (parts.length > 3 || name === "" || project === "") return undefined;
  const owner = isOrganization(own) ? own : organization;
  return { organization: owner, project, name, version: version === "latest" ? undefined : version };
}

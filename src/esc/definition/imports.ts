import { type FullName, isOrganization } from "../settings/names.ts";

/**
 * What a definition imports, as it is written there: `project/name`, `name@version`.
 *
 * @returns undefined where the text does not tell
 */
export async function readImports(yaml: string): Promise<readonly string[] | undefined> {
  // Nearly all of its code is needed to read one list: only where there is one.
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
 * The environment that an import means, as the definition of another one writes it: `project/name`, or the old form `name`
 * in the project `default`, both with `@version`; of the same organization.
 *
 * @returns undefined for what is no name
 */
export function importedName(written: string, { organization }: FullName): FullName | undefined {
  const [path = "", version] = written.split("@", 2);
  const parts = path.split("/");
  const [name = "", project = "default", own = ""] = parts.toReversed();
  if (parts.length > 3 || name === "" || project === "") return undefined;
  return {
    organization: isOrganization(own) ? own : organization,
    project,
    name,
    ...(version === undefined || version === "latest" ? {} : { version }),
  };
}

/** The commands that the packages of a project bring, as far as they are installed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readIfThere } from "../files.ts";
import { objectOf, parseManifest, type Manifest } from "./place.ts";

const GROUPS = ["dependencies", "devDependencies"];

/**
 * Reads the manifests of the project's dependencies.
 *
 * @param folders whose `node_modules` have them, the nearest first
 * @returns the commands that packages of these names bring; undefined if nothing is installed
 */
export async function installedCommands(
  folders: readonly string[],
  manifest: Manifest,
): Promise<(packages: readonly string[]) => ReadonlySet<string> | undefined> {
  const installed = [...new Set(folders)]
    .map((folder) => join(folder, "node_modules"))
    .filter((one) => existsSync(one));
  const commands = new Map<string, readonly string[]>();
  for (const name of GROUPS.flatMap((group) => Object.keys(objectOf(manifest[group]) ?? {}))) {
    const path = installed.map((folder) => join(folder, name, "package.json")).find((file) => existsSync(file));
    const text = path === undefined ? undefined : await readIfThere({ path, name: "package.json" });
    const bin = parseManifest(text ?? "")?.["bin"];
    commands.set(name, typeof bin === "string" ? [name.replace(/^@.*\//, "")] : Object.keys(objectOf(bin) ?? {}));
  }
  return (packages) =>
    installed.length === 0 ? undefined : new Set(packages.flatMap((name) => commands.get(name) ?? []));
}

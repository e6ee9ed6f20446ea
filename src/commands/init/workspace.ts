/** The workspace that a package belongs to: the root has the lock file and says which package manager installs it. */
import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { matchesGlob } from "../../core/glob.ts";
import { parentOf } from "../../system/paths.ts";
import { readIfThere } from "../files.ts";
import { objectOf, parseManifest, type Manifest, type Workspace } from "./place.ts";

/** Looks for the workspace from a folder upwards, to the repository's root at most. */
export async function workspaceOf(cwd: string): Promise<Workspace> {
  const own = await manifestIn(cwd);
  const patterns = await memberPatterns(cwd, own);
  const alone: Workspace = { root: cwd, member: "", manifest: own, hasMembers: patterns !== undefined };
  if (patterns !== undefined) return alone;
  for (let folder = cwd; ;) {
    const parent = parentOf(folder);
    if (existsSync(join(folder, ".git")) || parent === folder) return alone;
    folder = parent;
    const manifest = await manifestIn(folder);
    const member = relative(folder, cwd).replaceAll(sep, "/");
    if (isMember(member, (await memberPatterns(folder, manifest)) ?? [])) {
      return { root: folder, member, manifest, hasMembers: true };
    }
  }
}

async function manifestIn(folder: string): Promise<Manifest> {
  return parseManifest((await textIn(folder, "package.json")) ?? "") ?? {};
}

function textIn(folder: string, name: string): Promise<string | undefined> {
  return readIfThere({ path: join(folder, name), name });
}

/** The globs of a root's packages; undefined if the folder is no root. */
async function memberPatterns(folder: string, { workspaces }: Manifest): Promise<readonly string[] | undefined> {
  const pnpm = await textIn(folder, "pnpm-workspace.yaml");
  const list = Array.isArray(workspaces) ? workspaces : objectOf(workspaces)?.["packages"];
  if (Array.isArray(list)) return list.filter((one) => typeof one === "string");
  // A file of settings alone makes no workspace.
  return pnpm === undefined ? undefined : packagesOf(pnpm);
}

/** The list under `packages:`, in either way of YAML; other keys of the file are settings. */
function packagesOf(yaml: string): readonly string[] | undefined {
  const [, inline, block] =
    /^packages:[ \t]*(?:\[([^\]]*)\]|(?:#.*)?\r?\n((?:[ \t]*(?:-.*|#.*)?(?:\r?\n|$))+))/m.exec(yaml) ?? [];
  const items = inline?.split(",") ?? block?.split("\n").flatMap((line) => /^\s*-\s*(.*)$/.exec(line)?.[1] ?? []);
  return items
    ?.map((item) =>
      item
        .replace(/\s#.*$/, "")
        .trim()
        .replaceAll(/^["']|["']$/g, ""),
    )
    .filter(Boolean);
}

/** `packages/*` is each folder there, `**` any depth; a pattern with `!` takes some out again. */
function isMember(member: string, patterns: readonly string[]): boolean {
  const fits = (pattern: string): boolean => {
    const glob = pattern.replace(/^\.\//, "").replace(/\/$/, "");
    if (glob.includes("**")) return matchesGlob(glob, member) || matchesGlob(glob.replaceAll("**/", ""), member);
    return glob.split("/").length === member.split("/").length && matchesGlob(glob, member);
  };
  const [out, within] = [patterns.filter((one) => one.startsWith("!")), patterns.filter((one) => !one.startsWith("!"))];
  return within.some(fits) && !out.some((one) => fits(one.slice(1)));
}

/** Packs the package as it would be published, and installs it into projects. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { basename, delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const execute = promisify(execFile);

/** The search path with the Node.js of the tests in front, and without the commands of this repository's packages. */
export const cleanPath: string = [
  dirname(process.execPath),
  ...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules")),
].join(delimiter);

/** Returns an environment for npm: no configuration of any user, no registry, and only files below `home`. */
export function npmEnvironment(home: string): Record<string, string> {
  return {
    PATH: cleanPath,
    HOME: home,
    npm_config_cache: join(home, "npm-cache"),
    npm_config_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
}

let packed: Promise<{ readonly name: string; readonly bytes: Buffer }> | undefined;

/**
 * Packs the built package as it would be published. npm packs it once for each test file.
 *
 * @returns the absolute path of the tarball in `home`
 */
export async function packPackage(home: string): Promise<string> {
  packed ??= packInto(home).then(async (file) => ({ name: basename(file), bytes: await readFile(file) }));
  const { name, bytes } = await packed;
  const path = join(home, name);
  await writeFile(path, bytes);
  return path;
}

async function packInto(home: string): Promise<string> {
  const { stdout } = await execute("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", home], {
    cwd: root,
    env: npmEnvironment(home),
  });
  const list: unknown = JSON.parse(stdout);
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  if (typeof first !== "object" || first === null || !("filename" in first) || typeof first.filename !== "string") {
    throw new Error(`npm pack did not name its tarball: ${stdout}`);
  }
  return join(home, first.filename);
}

/** Installs a tarball into a folder that has a package.json. No registry is asked. */
export async function installPackage(tarball: string, folder: string, home: string): Promise<void> {
  await execute("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], {
    cwd: folder,
    env: npmEnvironment(home),
  });
}

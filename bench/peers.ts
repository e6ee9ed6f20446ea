import { execFileSync } from "node:child_process";
import { accessSync, constants, cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const manifest = join(import.meta.dirname, "peers");

/** A launcher as a command prefix, or why it is not in the table. */
export type Peer =
  | { readonly name: string; readonly prefix: readonly string[]; readonly env?: Readonly<Record<string, string>> }
  | { readonly name: string; readonly missing: string };

/** Launchers from npm, run by the given Node.js, and those of the system. */
export function peers(cache: string, node: string, major: number): readonly Peer[] {
  const folder = join(cache, "bench-peers");
  install(folder);
  const script = (path: string): readonly string[] => [node, join(folder, "node_modules", path)];
  return [
    { name: "dotenv-cli", prefix: [...script("dotenv-cli/cli.js"), "--"] },
    { name: "cross-env", prefix: [...script("cross-env/dist/bin/cross-env.js"), "A=1"] },
    { name: "env-cmd", prefix: [...script("env-cmd/bin/env-cmd.js"), "-f", ".env", "--"] },
    { name: "dotenvx", prefix: [...script("@dotenvx/dotenvx/src/cli/dotenvx.js"), "run", "--quiet", "--"] },
    major >= 22
      ? {
          name: "varlock",
          prefix: [...script("varlock/bin/cli.js"), "run", "--"],
          env: { VARLOCK_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
        }
      : { name: "varlock", missing: "needs Node.js 22.3 or later" },
    system("direnv", ["exec", "."]),
    system("tini", ["--"]),
    system("dumb-init", ["--"]),
    ...["esc", "chamber", "doppler", "fnox", "secretspec"].map((name) => system(name, undefined)),
  ];
}

/** Found on the PATH; those without arguments need an account or a store, so that there is nothing to run them with. */
function system(name: string, args: readonly string[] | undefined): Peer {
  const path = (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (path === undefined) return { name, missing: "not installed here" };
  if (args === undefined) return { name, missing: "installed, but needs an account of its own to run anything" };
  return { name, prefix: [path, ...args] };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** As the lock file says, once. Not `npm ci`: that wants optional packages of other platforms to be in the lock file. */
function install(folder: string): void {
  if (existsSync(join(folder, "node_modules", ".package-lock.json"))) return;
  mkdirSync(folder, { recursive: true });
  cpSync(manifest, folder, { recursive: true });
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], {
    cwd: folder,
    stdio: "inherit",
  });
}

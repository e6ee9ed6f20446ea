/** The SDKs of Google Cloud and Azure, at the versions of `clients/`. */
import { createHash } from "node:crypto";
import { execFileSync, type StdioOptions } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fillFolderOnce } from "../../../helpers/fill-folder-once.ts";

const cache = join(import.meta.dirname, "../../../../.cache/refresh-clients");
const clients = join(import.meta.dirname, "clients");
/** No output, but the reason of a failure. */
const stdio: StdioOptions = ["ignore", "ignore", "pipe"];

/** Returns a folder that `fill` has filled for the present content of these files, which it has as well. */
function fetchedFor(kind: string, names: readonly string[], fill: (unfinished: string) => void): string {
  const hash = createHash("sha256");
  for (const name of names) hash.update(readFileSync(join(clients, name)));
  return fillFolderOnce(join(cache, `${kind}-${hash.digest("hex").slice(0, 12)}`), (unfinished) => {
    for (const name of names) copyFileSync(join(clients, name), join(unfinished, name));
    fill(unfinished);
  });
}

function execute(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, timeout: 300_000, stdio });
}

/** Returns the command of a program in JavaScript. Packages are found from the program's folder. */
export function fetchJavaScriptClient(name: string): readonly string[] {
  const folder = fetchedFor("javascript", ["package.json", "package-lock.json"], (unfinished) =>
    execute("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], unfinished),
  );
  copyFileSync(join(clients, name), join(folder, name));
  return [process.execPath, join(folder, name)];
}

export function fetchPythonClient(name: string): readonly string[] {
  const folder = fetchedFor("python", ["requirements.txt"], (unfinished) =>
    // No virtual environment: its commands name its folder, which is renamed.
    execute(
      "python3",
      ["-m", "pip", "install", "--quiet", "--no-deps", "--target", unfinished, "--requirement", "requirements.txt"],
      unfinished,
    ),
  );
  return ["env", `PYTHONPATH=${folder}`, "python3", join(clients, name)];
}

export function buildGoClient(): readonly string[] {
  const folder = fetchedFor("go", ["go.mod", "go.sum", "google-client.go"], (unfinished) =>
    execute("go", ["build", "-o", "google", "."], unfinished),
  );
  return [join(folder, "google")];
}

export function shellClient(name: string): readonly string[] {
  return ["sh", join(clients, name)];
}

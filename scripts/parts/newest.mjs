/** Finds the newest version of a package in its registry, for scripts/parts.mjs. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);
const LIMIT_MS = 60_000;

/** Commands that print the newest version of a package, and where it is in their output. */
const TOOLS = {
  cargo: { command: (name) => ["cargo", "info", name], version: /^version: \S+ \(latest (\S+)\)|^version: (\S+)/m },
  pypi: { command: (name) => ["python3", "-m", "pip", "index", "versions", name], version: /^\S+ \((\S+)\)/m },
  npm: { command: (name) => ["npm", "view", name, "version"], version: /^(\d\S*)/m },
};

/**
 * Asks a registry by its own tool, which has the user's configuration.
 *
 * @param part a package: its registry and its name
 * @returns the newest version
 * @throws if the tool is missing, or the registry cannot be reached
 */
export async function newestOf({ registry, name }) {
  const { command, version } = TOOLS[registry];
  const [file, ...args] = command(name);
  const tool = [file, ...args].join(" ");
  // Elsewhere, so that no manifest or lock file here has a say.
  const options = { cwd: tmpdir(), timeout: LIMIT_MS, killSignal: "SIGKILL" };
  const { stdout } = await run(file, args, options).catch((error) => {
    const lines = (error.stderr ?? "").trim().split("\n");
    const why = error.code === "ENOENT" ? `there is no ${file}` : error.killed ? "no answer in 60 s" : lines.at(-1);
    throw new Error(`the newest version of ${name} is unknown: ${tool}: ${why}`);
  });
  const found = version.exec(stdout)?.slice(1).find(Boolean);
  if (found === undefined) throw new Error(`the newest version of ${name} is unknown: ${tool} printed none`);
  return found;
}

/** The official MCP SDKs, at pinned versions. */
import { execFileSync, type StdioOptions } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetched } from "../../helpers/fetched.ts";

const JAVASCRIPT = { "@modelcontextprotocol/sdk": "1.32.2" } as const;
const PYTHON = { mcp: "2.3.0" } as const;

const cache = join(import.meta.dirname, "../../../.cache/mcp");
const stdio: StdioOptions = ["ignore", "ignore", "pipe"];
const timeout = 300_000;

/** @returns the folder of its packages */
export function fetchMcpSdk(): string {
  const folder = fetched(join(cache, `javascript-${Object.values(JAVASCRIPT).join("-")}`), (cwd) => {
    const manifest = { private: true, type: "module", dependencies: JAVASCRIPT };
    writeFileSync(join(cwd, "package.json"), JSON.stringify(manifest));
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd, timeout, stdio });
  });
  return join(folder, "node_modules");
}

/** @returns the folder of its packages, for PYTHONPATH */
export function fetchPythonMcp(): string {
  return fetched(join(cache, `python-${Object.values(PYTHON).join("-")}`), (folder) => {
    const packages = Object.entries(PYTHON).map(([name, version]) => `${name}==${version}`);
    execFileSync("python3", ["-m", "pip", "install", "--quiet", "--target", folder, ...packages], { timeout, stdio });
  });
}

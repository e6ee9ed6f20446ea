/** The official MCP SDKs, at pinned versions. */
import { join } from "node:path";
import { fetchNpmPackages } from "../../helpers/npm-packages.ts";
import { fetchPythonPackages } from "../../helpers/python-packages.ts";

const JAVASCRIPT = { "@modelcontextprotocol/sdk": "1.32.2" } as const;
const PYTHON = { mcp: "2.3.0" } as const;

const cache = join(import.meta.dirname, "../../../.cache/mcp");

/** @returns the folder of its packages */
export function fetchMcpSdk(): string {
  const folder = fetchNpmPackages(join(cache, `javascript-${Object.values(JAVASCRIPT).join("-")}`), JAVASCRIPT);
  return join(folder, "node_modules");
}

/** @returns the folder of its packages, for PYTHONPATH */
export function fetchPythonMcp(): string {
  const requirements = Object.entries(PYTHON).map(([name, version]) => `${name}==${version}`);
  return fetchPythonPackages(join(cache, `python-${Object.values(PYTHON).join("-")}`), requirements);
}

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { BARE_ENVIRONMENT, DOTENV_VALUES } from "./surroundings.ts";

const token = "dp.st.bench.fake-000000000000000000000000000000000000000000";

/**
 * Lets doppler fetch the values of the `.env` file once from a stand-in of its service, so that it writes its encrypted
 * fallback file.
 *
 * @returns the arguments with which it runs a program from that file, without network
 */
export async function dopplerFallback(prefix: readonly string[], folder: string): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true });
  const server = createServer((_request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(DOTENV_VALUES));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const args = ["run", "--config-dir", folder, "--no-check-version", "--token", token];
  const fallback = ["--fallback", join(folder, "fallback.json")];
  const [command = "", ...first] = prefix;
  try {
    const service = ["--api-host", `http://127.0.0.1:${port}`];
    await promisify(execFile)(command, [...first, ...args, ...fallback, ...service, "--", "true"], {
      env: BARE_ENVIRONMENT,
      timeout: 60_000,
    });
  } finally {
    server.close();
  }
  return [...args, ...fallback, "--fallback-only", "--silent", "--"];
}

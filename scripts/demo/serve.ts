/** Keeps the demo's ESC server running, so that the user can try commands in another terminal. */
import { join } from "node:path";
import { type DemoWorld, INCOMPLETE_ENVIRONMENT } from "./world.ts";

/** Runs the ESC server until a signal ends the demo, and prints the commands for another terminal. */
export function serve({ server, environment, cwd }: DemoWorld): void {
  const owner = { kind: "organization", organization: "demo-org" } as const;
  const { value: launcher } = server.addToken({ owner, access: "open" });
  const lines = [
    "# A server that implements the ESC API, with fake values, until Ctrl-C.",
    "# Paste this in another terminal:",
    "",
    `export PULUMI_BACKEND_URL=${server.url} ESC_ENV=${environment["ESC_ENV"] ?? ""}`,
    "# The launcher's token may only open environments; set, import and rotate take the other one.",
    `export ESC_TOKEN=${launcher}`,
    `export ESC_ADMIN_TOKEN=${server.token}`,
    `export PATH="${join(import.meta.dirname, "../../bin")}:$PATH"`,
    `cd ${cwd}`,
    "",
    "# Then try, for instance:",
    "#   sophia-run check",
    "#   sophia-run -- node app.js",
    "#   sophia-run explain QDRANT_URL",
    "#   sophia-run import .env --dry-run",
    "#   sophia-run rotate QDRANT_API_KEY --generate --yes",
    `#   ESC_ENV=${INCOMPLETE_ENVIRONMENT} sophia-run -- node app.js`,
    `#   sophia-run set QDRANT_API_KEY --in ${INCOMPLETE_ENVIRONMENT}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

import type { DemoWorld } from "./world.ts";
import { join } from "node:path";

/** Keeps the ESC server up until a signal ends the demo, and says what to paste in another terminal to use it. */
export function serve({ server, environment, cwd }: DemoWorld): void {
  const lines = [
    "# A server that implements the ESC API, with fake values, until Ctrl-C.",
    "# Paste this in another terminal:",
    "",
    `export PULUMI_BACKEND_URL=${server.url} ESC_ENV=${environment["ESC_ENV"] ?? ""}`,
    `export ESC_TOKEN=${server.token}`,
    `export PATH="${join(import.meta.dirname, "../../bin")}:$PATH"`,
    `cd ${cwd}`,
    "",
    "# Then try, for instance:",
    "#   sophia-run check",
    "#   sophia-run -- node app.js",
    "#   sophia-run explain QDRANT_URL",
    "#   ESC_ENV=demo-org/sophia/staging sophia-run -- node app.js",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

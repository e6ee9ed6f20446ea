/**
 * A program that only launches. Its first argument is a request as JSON; the other arguments are the program's command line.
 * Tests use it for what the command line of sophia-run does not offer, such as secret files without ESC.
 */
import { writeSync } from "node:fs";
import { SophiaError } from "../../src/core/error.ts";
import { prepareLaunch } from "../../src/launch/preflight.ts";
import { launch } from "../../src/launch/index.ts";
import { readProcessEnvironment } from "../../src/system/process-environment.ts";
import type { DriverRequest } from "./driver-process.ts";

const preparation = prepareLaunch(process.env);
const [request = "{}", ...command] = process.argv.slice(2);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a test has written this JSON
const driverRequest = JSON.parse(request) as DriverRequest;
const { files = [], mode = "spawn", killAfterMs, dieWithLauncher = false, restoreNofile = false } = driverRequest;

launch({
  command: [command[0] ?? "", ...command.slice(1)],
  environment: readProcessEnvironment(
    process.env,
    preparation.preloaded ? undefined : preparation.addon?.environment(),
  ),
  files,
  options: { mode, dieWithLauncher, restoreNofile, ...(killAfterMs !== undefined && { killAfterMs }) },
  preparation,
}).catch((error: unknown) => {
  if (!(error instanceof SophiaError)) throw error;
  writeSync(2, `${error.message}\n`);
  process.exit(error.status);
});

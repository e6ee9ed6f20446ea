/**
 * A program that only launches: what stands before `--` on its command line is a request as JSON. It lets the tests
 * reach what the command line of sophia-run does not offer, such as secret files without ESC.
 */
import { writeSync } from "node:fs";
import { SophiaError } from "../../src/core/error.ts";
import { prepare } from "../../src/launch/preflight.ts";
import { launch } from "../../src/launch/index.ts";
import { readOwnEnvironment } from "../../src/system/own-environment.ts";
import type { DriverRequest } from "./launching.ts";

const preparation = prepare(process.env);
const [request = "{}", ...command] = process.argv.slice(2);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tests wrote it
const asked = JSON.parse(request) as DriverRequest;
const { files = [], mode = "spawn", killAfterMs, dieWithLauncher = false, restoreNofile = false } = asked;

launch({
  command: [command[0] ?? "", ...command.slice(1)],
  environment: readOwnEnvironment(process.env, preparation.preloaded ? undefined : preparation.addon?.environment()),
  files,
  options: { mode, dieWithLauncher, restoreNofile, ...(killAfterMs !== undefined && { killAfterMs }) },
  preparation,
}).catch((error: unknown) => {
  if (!(error instanceof SophiaError)) throw error;
  writeSync(2, `${error.message}\n`);
  process.exit(error.status);
});

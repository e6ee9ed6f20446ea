/** The boundary: reads command line, environment, working directory and streams, and exits with the status. */
import { existsSync } from "node:fs";
import { type Invocation, parseCommandLine } from "./command-line/command-line.ts";
import type { Context } from "./core/context.ts";
import { ExitStatus, SophiaError } from "./core/error.ts";
import { reached } from "./core/phases.ts";
import type { Preparation } from "./launch/index.ts";
import { prepare } from "./launch/preflight.ts";
import { resolveSettings } from "./command-line/settings.ts";
import { loader } from "./system/addon/addon.ts";
import { attempt } from "./system/errors.ts";
import { readOwnEnvironment } from "./system/own-environment.ts";
import { isBun } from "./system/runtime.ts";
import { WORKING_DIRECTORY_LINK } from "./system/paths.ts";
import { run } from "./commands/run/run.ts";
import { postponeStandardError } from "./system/standard-error.ts";
import { write } from "./system/blocking.ts";

async function main(argv: readonly string[], given: Context, preparation: Preparation): Promise<number> {
  const invocation = parseCommandLine(argv);
  // Remedies name the project.
  const context = await inProject(invocation, given);
  try {
    const runnersContext = await adapted(context);
    reached("command line read");
    if (invocation.kind === "run") return await run(invocation, runnersContext, preparation);
    const { dispatch } = await import("./commands/dispatch.ts");
    return await dispatch(invocation, runnersContext);
  } catch (error) {
    return fail(context, error);
  }
}

async function inProject(invocation: Invocation, context: Context): Promise<Context> {
  const isPlain = invocation.kind === "run" && invocation.flags["project"] === undefined;
  if (isPlain && !context.environment.has("SOPHIA_PROJECT")) return context;
  return (await import("./commands/parts/project-option.ts")).inProject(invocation, context);
}

async function adapted(context: Context): Promise<Context> {
  if (process.platform !== "win32" && context.environment.get("GITHUB_ACTIONS") !== "true") return context;
  return (await import("./output/surroundings.ts")).adapt(context);
}

function surroundings({ addon, preloaded }: Preparation): Context {
  const input = (): Promise<typeof import("./system/standard-input.ts")> => import("./system/standard-input.ts");
  const cwd = workingDirectory();
  return {
    environment: readOwnEnvironment(process.env, preloaded ? undefined : addon?.environment()),
    cwd,
    project: cwd,
    out: (text) => write(1, text),
    err: (text) => void write(2, text),
    raw: write,
    readLine: async (question) => (await input()).readLine(question),
    readHidden: async (prompt) => (await input()).readHidden(prompt, !["", "dumb"].includes(process.env["TERM"] ?? "")),
    readInput: async () => (await input()).readInput(),
    async *readChunks() {
      yield* (await input()).readChunks();
    },
    // Lazy, since loading node:tty takes milliseconds.
    isTerminal: (descriptor) => process.getBuiltinModule("node:tty").isatty(descriptor),
  };
}

function workingDirectory(): string {
  // Throws if the folder was deleted. A program can still start there.
  const path = attempt(() => process.cwd());
  // Bytes that are not UTF-8 are U+FFFD, so that the path leads elsewhere or nowhere, or by a link of that name to the folder.
  const isWrong = path?.includes("\uFFFD") === true && existsSync(WORKING_DIRECTORY_LINK);
  return path === undefined || isWrong ? WORKING_DIRECTORY_LINK : path;
}

async function fail(context: Context, error: unknown): Promise<number> {
  try {
    const { printError } = await import("./output/stderr.ts");
    await printError(await adapted(context), error);
  } catch (unprinted) {
    // limits.ts cannot be loaded, either.
    const isLimit = String(unprinted).includes("EMFILE");
    const problem = isLimit ? "too many open files\n  raise the limit: ulimit -n 1024" : "internal error";
    context.err(`sophia-run: ${error instanceof SophiaError ? error.message : problem}\n`);
  }
  return error instanceof SophiaError ? error.status : ExitStatus.failed;
}

async function failAndExit(context: Context, error: unknown): Promise<never> {
  process.exit(await fail(context, error));
}

/** Starts up to the command. The order matters. */
function boot(): void {
  reached("bundle loaded");
  // 1. Node.js must not open standard error. Bun would open it when the property is redefined.
  if (!isBun) postponeStandardError(Boolean(process.env["NODE_DEBUG"]));
  // 2. Only code that has run is cached: this runs the code for options.
  if (loader?.hasCodeToCache() === true) {
    const sample = parseCommandLine(["-qq", "--mode=auto", "--timeout", "1s", "--include=A", "--", "true"]);
    if (sample.kind === "run") resolveSettings(sample.flags, new Map());
  }
  // 3. Descriptors and signals are recorded before a file is opened.
  const preparation = prepare(process.env);
  reached("prepared");
  const context = surroundings(preparation);
  // 4. A bug ends the process with status 125 and a message: an exception outside of main, ...
  process.on("uncaughtException", (error) => void failAndExit(context, error));
  // ... or a promise that never settles.
  process.on("beforeExit", () => void failAndExit(context, new Error("never settled")));
  // 5. A launch never returns.
  void main(process.argv.slice(2), context, preparation)
    .catch((error: unknown) => fail(context, error))
    .then((status) => process.exit(status));
}

if (loader?.onStart === undefined) boot();
else loader.onStart(boot);

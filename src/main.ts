/**
 * The boundary between the system and the program. It reads the command line, the environment, the working directory and the
 * streams, hands them on as a `Context`, and ends the process with the resulting status. ARCHITECTURE.md names the few other
 * files that read them.
 */
import { existsSync } from "node:fs";
import { type Invocation, parseCommandLine } from "./command-line/command-line.ts";
import type { Context } from "./core/context.ts";
import { ExitStatus, SophiaError } from "./core/error.ts";
import { recordPhaseEnd } from "./core/phases.ts";
import type { Preparation } from "./launch/index.ts";
import { prepareLaunch } from "./launch/preflight.ts";
import { resolveSettings } from "./command-line/settings.ts";
import { loader } from "./system/addon/addon.ts";
import { attempt } from "./system/errors.ts";
import { readProcessEnvironment } from "./system/process-environment.ts";
import { isBun } from "./system/runtime.ts";
import { WORKING_DIRECTORY_LINK } from "./system/paths.ts";
import { run } from "./commands/run/run.ts";
import { openStandardErrorLazily } from "./system/standard-error.ts";
import { write } from "./system/blocking.ts";

async function main(argv: readonly string[], initialContext: Context, preparation: Preparation): Promise<number> {
  const invocation = parseCommandLine(argv);
  // Errors need the project's folder, too: their remedies name it.
  const context = await inProject(invocation, initialContext);
  try {
    const adaptedContext = await adapted(context);
    recordPhaseEnd("command line read");
    if (invocation.kind === "run") return await run(invocation, adaptedContext, preparation);
    const { dispatch } = await import("./commands/dispatch.ts");
    return await dispatch(invocation, adaptedContext);
  } catch (error) {
    return fail(context, error);
  }
}

/** Applies `--project`. Its code is loaded only if the option or its variable is set. */
async function inProject(invocation: Invocation, context: Context): Promise<Context> {
  const isPlain = invocation.kind === "run" && invocation.flags["project"] === undefined;
  if (isPlain && !context.environment.has("SOPHIA_PROJECT")) return context;
  return (await import("./commands/parts/project-option.ts")).applyProjectOption(invocation, context);
}

/** Adapts the context to Windows, and to the runner of GitHub Actions, which executes some lines of the output. */
async function adapted(context: Context): Promise<Context> {
  if (process.platform !== "win32" && context.environment.get("GITHUB_ACTIONS") !== "true") return context;
  return (await import("./output/surroundings.ts")).adaptContext(context);
}

/** Returns the context of this process. */
function surroundings({ addon, preloaded }: Preparation): Context {
  const input = (): Promise<typeof import("./system/standard-input.ts")> => import("./system/standard-input.ts");
  const cwd = workingDirectory();
  return {
    environment: readProcessEnvironment(process.env, preloaded ? undefined : addon?.environment()),
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
    // node:tty is loaded only when it is needed, since that takes milliseconds.
    isTerminal: (descriptor) => process.getBuiltinModule("node:tty").isatty(descriptor),
  };
}

function workingDirectory(): string {
  // Throws if the folder was deleted. A program can still start there.
  const path = attempt(() => process.cwd());
  // Bytes that are not UTF-8 become U+FFFD. Such a path leads nowhere, to another folder, or by a link of that name to this one.
  const isUnusable = path?.includes("\uFFFD") === true && existsSync(WORKING_DIRECTORY_LINK);
  return path === undefined || isUnusable ? WORKING_DIRECTORY_LINK : path;
}

/** Prints an error. @returns the exit status */
async function fail(context: Context, error: unknown): Promise<number> {
  try {
    const { printError } = await import("./output/stderr.ts");
    await printError(await adapted(context), error);
  } catch (printingError) {
    // Without free descriptors no further module can be loaded, not even the one with this message (system-limits.ts).
    const isLimit = String(printingError).includes("EMFILE");
    const problem = isLimit ? "too many open files\n  raise the limit: ulimit -n 1024" : "internal error";
    context.err(`sophia-run: ${error instanceof SophiaError ? error.message : problem}\n`);
  }
  return error instanceof SophiaError ? error.status : ExitStatus.failed;
}

async function failAndExit(context: Context, error: unknown): Promise<never> {
  process.exit(await fail(context, error));
}

/** Starts up to the command. The order of the steps matters. */
function boot(): void {
  recordPhaseEnd("bundle loaded");
  // 1. Node.js must not open standard error by itself. In Bun, redefining the property would open it.
  if (!isBun) openStandardErrorLazily(Boolean(process.env["NODE_DEBUG"]));
  // 2. V8 caches only code that has run. So if there is no cached code, a sample runs the code of the options.
  if (loader?.hasCodeToCache() === true) {
    const sample = parseCommandLine(["-qq", "--mode=auto", "--timeout", "1s", "--include=A", "--", "true"]);
    if (sample.kind === "run") resolveSettings(sample.flags, new Map());
  }
  // 3. The descriptors and signals that the caller has set are recorded before this process opens a file.
  const preparation = prepareLaunch(process.env);
  recordPhaseEnd("prepared");
  const context = surroundings(preparation);
  // 4. After a bug the process ends with status 125 and a message. A bug is an exception outside of main, ...
  process.on("uncaughtException", (error) => void failAndExit(context, error));
  // ... or a promise that never settles.
  process.on("beforeExit", () => void failAndExit(context, new Error("never settled")));
  // 5. Runs the command. If a program replaces this process, `main` never returns.
  void main(process.argv.slice(2), context, preparation)
    .catch((error: unknown) => fail(context, error))
    .then((status) => process.exit(status));
}

if (loader?.onStart === undefined) boot();
else loader.onStart(boot);

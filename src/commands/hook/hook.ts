/**
 * The command `sophia-run hook`, which keeps secrets from coding agents. The agent starts it before one of its tools runs
 * (PreToolUse) and after the tool has run (PostToolUse), writes a JSON object to its standard input, and reads its answer,
 * which is JSON as well:
 *
 *     {"hook_event_name": "PostToolUse", "tool_name": "Read", "tool_response": {"content": "API_KEY=…"}}
 */
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { formatJsonLine } from "../../core/json-text.ts";
import { printable } from "../../core/text.ts";
import { fieldsOf, type Fields } from "../../esc/transport/answer.ts";
import { loadMaskingAddon } from "../../launch/masking/masking-addon.ts";
import { createSearch } from "../../masking/masking.ts";
import { printError } from "../../output/stderr.ts";
import { findTypedName } from "../../output/typed-name.ts";
import { loader } from "../../system/addon/addon.ts";
import { attempt } from "../../system/errors.ts";
import type { Command, CommandArguments } from "../command.ts";
import { applyProjectFolder } from "../parts/project-option.ts";
import { readSecretsToMask } from "../mask/secrets-to-mask.ts";
import { BLOCKING_STATUS } from "./blocking-hook.ts";
import { maskValue } from "./masked-value.ts";
import { findNamedFile, findProtectedFiles, type ProtectedFile } from "./protected-files.ts";
import { rewriteShellCommand } from "./shell-command.ts";

/** The limit on the JSON of a hook, in bytes. The outputs of tools that agents accept are far shorter. */
const MAX_INPUT_BYTES = 128 * 1024 * 1024;
/** The limit on the depth of that JSON, since the functions that mask and search it are recursive. */
const MAX_DEPTH = 200;
/** The limit on the time for ESC, since the agent waits for the hook. */
const MAX_ESC_MS = 5000;

/** Returns 0, also after a failure; with `--strict` a failure has the status that blocks the tool. */
export const hook: Command = async (args, context) => {
  try {
    const answer = await answerEvent(await readEvent(context), args, applyProjectFolder(args.options, context));
    if (answer !== undefined) context.raw(1, formatJsonLine(answer));
    // An agent starts a hook before and after each use of a tool. Compiling the code again would take a quarter of that
    // time.
    loader?.cacheCode();
    return ExitStatus.ok;
  } catch (error) {
    const isStrict = args.options["strict"] === true;
    // A bug of this program must be reported as such, but with --strict it must block the tool like any failure.
    if (!isStrict && !(error instanceof SophiaError)) throw error;
    await printError(context, error);
    return isStrict ? BLOCKING_STATUS : ExitStatus.ok;
  }
};

/** Reads the JSON of the hook. @throws SophiaError (input, 125) if it is too long, too deep, or not a JSON object */
async function readEvent(context: Context): Promise<Fields> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of context.readChunks()) {
    length += chunk.length;
    if (length > MAX_INPUT_BYTES) throw createInputError("the hook's input is longer than 128 MiB");
    chunks.push(chunk);
  }
  const event = fieldsOf(attempt((): unknown => JSON.parse(Buffer.concat(chunks).toString())));
  if (event === undefined) throw createInputError("the hook's input is no JSON object");
  if (isDeeperThan(event, MAX_DEPTH))
    throw createInputError(`the hook's input is nested deeper than ${MAX_DEPTH} levels`);
  return event;
}

/**
 * Returns true if a value is nested deeper than the limit. It walks level by level, since recursion could exhaust the
 * stack.
 */
function isDeeperThan(value: unknown, maxDepth: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true;
    level = level.flatMap((part) => (typeof part === "object" && part !== null ? Object.values(part) : []));
  }
  return false;
}

/**
 * Returns the answer to an event; undefined if the tool goes its normal way.
 *
 * @throws SophiaError (input, 125) for other events
 */
async function answerEvent(event: Fields, args: CommandArguments, context: Context): Promise<Fields | undefined> {
  const name = event["hook_event_name"];
  if (name === "PostToolUse") return answerAfterTool(event, args, context);
  if (name === "PreToolUse") return answerBeforeTool(event, args, context);
  const eventName = typeof name === "string" ? printable(name.slice(0, 40)) : "none";
  throw createInputError(`the hook is for PreToolUse and PostToolUse, not for the event ${eventName}`);
}

/** Returns the answer that replaces the output of a tool by a masked one; undefined if it contains no secret. */
async function answerAfterTool(
  { tool_response: output }: Fields,
  { options, positionals: [agent] }: CommandArguments,
  context: Context,
): Promise<Fields | undefined> {
  const userSettings = resolveSettings(options, context.environment);
  const settings = { ...userSettings, quiet: true, timeoutMs: Math.min(userSettings.timeoutMs, MAX_ESC_MS) };
  const secrets = await readSecretsToMask(settings, context);
  // The executable limits how long JavaScript computes at a time. Masking a long output may take longer.
  loader?.limitTurns?.(0);
  const { value, foundVariables } = maskValue(output, createSearch(secrets, loadMaskingAddon()));
  if (foundVariables.length === 0) return undefined;
  const eventAnswer = {
    hookEventName: "PostToolUse",
    additionalContext: `sophia-run has masked ${foundVariables.map(printable).join(", ")} in this output (***)`,
  };
  if (agent === "claude-code") return { hookSpecificOutput: { ...eventAnswer, updatedToolOutput: value } };
  // Codex shows the reason of a block in place of the output.
  const reason = typeof value === "string" ? value : JSON.stringify(value);
  return { decision: "block", reason, hookSpecificOutput: eventAnswer };
}

/** Returns the answer that masks the output of a shell command, or denies access to a protected file. */
async function answerBeforeTool(
  { cwd, tool_name: tool, tool_input: toolInput }: Fields,
  { options, positionals: [agent] }: CommandArguments,
  context: Context,
): Promise<Fields | undefined> {
  const input = fieldsOf(toolInput) ?? {};
  const { command } = input;
  if (agent === "claude-code" && tool === "Bash" && typeof command === "string") {
    const rewrittenCommand =
      options["no-rewrite"] === true ? undefined : rewriteShellCommand(command, options, context);
    return rewrittenCommand === undefined
      ? undefined
      : createPreToolUseAnswer({ updatedInput: { ...input, command: rewrittenCommand } });
  }
  const files = await findProtectedFiles(resolveSettings(options, context.environment), context);
  const home = context.environment.get("HOME") ?? "/";
  const file = findNamedFile(input, files, { cwd: typeof cwd === "string" ? cwd : context.cwd, home });
  if (file === undefined) return undefined;
  return createPreToolUseAnswer({
    permissionDecision: "deny",
    permissionDecisionReason: describeDenial(file, findTypedName(context)),
  });
}

function createPreToolUseAnswer(fields: Fields): Fields {
  return { hookSpecificOutput: { hookEventName: "PreToolUse", ...fields } };
}

/** Returns the reason of a denial, for the agent. @param command the name of sophia-run as the agent can type it */
function describeDenial({ path, contentDescription }: ProtectedFile, command: string): string {
  return (
    `${printable(path)} holds ${contentDescription}. \`${command} check\` shows what is set, without values; ` +
    `\`${command} -- COMMAND\` starts a program with the values.`
  );
}

function createInputError(message: string): SophiaError {
  return new SophiaError({ code: "input", message, hint: "docs/agents.md has the settings of the hooks" });
}

import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { jsonLine } from "../../core/json-text.ts";
import { printable } from "../../core/text.ts";
import { fieldsOf, type Fields } from "../../esc/transport/answer.ts";
import { loadMaskingAddon } from "../../launch/masking/masking-addon.ts";
import { createSearch } from "../../masking/masking.ts";
import { printError } from "../../output/stderr.ts";
import { typedName } from "../../output/typed-name.ts";
import { loader } from "../../system/addon/addon.ts";
import { attempt } from "../../system/errors.ts";
import type { Command, CommandArguments } from "../command.ts";
import { withProject } from "../parts/project-option.ts";
import { secretsToMask } from "../mask/secrets-to-mask.ts";
import { BLOCKING } from "./blocking-hook.ts";
import { masked } from "./masked.ts";
import { namedIn, protectedFiles, type ProtectedFile } from "./protected-files.ts";
import { withMaskedOutput } from "./shell-command.ts";

/** The limit on the JSON of a hook. Agents keep a fraction of that of a tool's output. */
const MAX_BYTES = 128 * 1024 * 1024;
/** The limit on the depth of that JSON: what walks it calls itself for each level. */
const MAX_DEPTH = 200;
/** The time that ESC gets, since the agent waits. */
const LONGEST_MS = 5000;

export const hook: Command = async (args, context) => {
  try {
    const answer = await answerTo(await readEvent(context), args, withProject(args.options, context));
    if (answer !== undefined) context.raw(1, jsonLine(answer));
    // An agent starts a hook before and after each tool: compiling its code takes a quarter of the time.
    loader?.cacheCode();
    return ExitStatus.ok;
  } catch (error) {
    const isStrict = args.options["strict"] === true;
    // With another status a bug would not block the tool.
    if (!isStrict && !(error instanceof SophiaError)) throw error;
    await printError(context, error);
    return isStrict ? BLOCKING : ExitStatus.ok;
  }
};

async function readEvent(context: Context): Promise<Fields> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of context.readChunks()) {
    length += chunk.length;
    if (length > MAX_BYTES) throw failure("the hook's input is longer than 128 MiB");
    chunks.push(chunk);
  }
  const event = fieldsOf(attempt((): unknown => JSON.parse(Buffer.concat(chunks).toString())));
  if (event === undefined) throw failure("the hook's input is no JSON object");
  if (isDeeper(event, MAX_DEPTH)) throw failure(`the hook's input is nested deeper than ${MAX_DEPTH} levels`);
  return event;
}

function isDeeper(value: unknown, most: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((part) => (typeof part === "object" && part !== null ? Object.values(part) : []));
  }
  return false;
}

async function answerTo(event: Fields, args: CommandArguments, context: Context): Promise<Fields | undefined> {
  const name = event["hook_event_name"];
  if (name === "PostToolUse") return afterTool(event, args, context);
  if (name === "PreToolUse") return beforeTool(event, args, context);
  const given = typeof name === "string" ? printable(name.slice(0, 40)) : "none";
  throw failure(`the hook is for PreToolUse and PostToolUse, not for the event ${given}`);
}

async function afterTool(
  { tool_response: output }: Fields,
  { options, positionals: [agent] }: CommandArguments,
  context: Context,
): Promise<Fields | undefined> {
  const given = resolveSettings(options, context.environment);
  const settings = { ...given, quiet: true, timeoutMs: Math.min(given.timeoutMs, LONGEST_MS) };
  const secrets = await secretsToMask(settings, context);
  // The search lasts as long as the output is long.
  loader?.limitTurns?.(0);
  const { value, names } = masked(output, createSearch(secrets, loadMaskingAddon()));
  if (names.length === 0) return undefined;
  const specific = {
    hookEventName: "PostToolUse",
    additionalContext: `sophia-run has masked ${names.map(printable).join(", ")} in this output (***)`,
  };
  if (agent === "claude-code") return { hookSpecificOutput: { ...specific, updatedToolOutput: value } };
  const reason = typeof value === "string" ? value : JSON.stringify(value);
  return { decision: "block", reason, hookSpecificOutput: specific };
}

async function beforeTool(
  { cwd, tool_name: tool, tool_input: given }: Fields,
  { options, positionals: [agent] }: CommandArguments,
  context: Context,
): Promise<Fields | undefined> {
  const input = fieldsOf(given) ?? {};
  const { command } = input;
  if (agent === "claude-code" && tool === "Bash" && typeof command === "string") {
    const rewritten = options["no-rewrite"] === true ? undefined : withMaskedOutput(command, options, context);
    return rewritten === undefined ? undefined : answerBefore({ updatedInput: { ...input, command: rewritten } });
  }
  const files = await protectedFiles(resolveSettings(options, context.environment), context);
  const home = context.environment.get("HOME") ?? "/";
  const file = namedIn(input, files, { cwd: typeof cwd === "string" ? cwd : context.cwd, home });
  if (file === undefined) return undefined;
  return answerBefore({ permissionDecision: "deny", permissionDecisionReason: reasonFor(file, typedName(context)) });
}

function answerBefore(fields: Fields): Fields {
  return { hookSpecificOutput: { hookEventName: "PreToolUse", ...fields } };
}

/** @param command as the agent can type it */
function reasonFor({ path, holds }: ProtectedFile, command: string): string {
  return (
    `${printable(path)} holds ${holds}. \`${command} check\` shows what is set, without values; ` +
    `\`${command} -- COMMAND\` starts a program with the values.`
  );
}

function failure(message: string): SophiaError {
  return new SophiaError({ code: "input", message, hint: "docs/agents.md has the settings of the hooks" });
}

/**
 * Returns the step of `init --with claude,codex` that adds hooks to the settings of a coding agent. The agent then runs
 * `sophia-run hook` around each use of a tool, so that it sees no secret (docs/agents.md). Everything else in the settings
 * stays, also comments: JSON is edited in place, and TOML gets further lines at its end.
 */
import { applyEdits, findNodeAtLocation, getNodeValue, modify } from "jsonc-parser";
import { JsonSyntaxError, positionAt, parseWithPositions } from "../../contract/file/positions.ts";
import { SophiaError } from "../../core/error.ts";
import { REPOSITORY_URL } from "../parts/package-source.ts";
import { withoutMark } from "../../core/text.ts";
import { formattingOf, hasDuplicateKey, lineBreakOf } from "./json-edits.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import { hasDependency, objectOf } from "./package-json.ts";
import { usesRootsDependency, type Survey } from "./project-survey.ts";
import { hasPythonDependency, PYTHON_TOOLS } from "./python.ts";
import type { SetupStep } from "./setup-step.ts";
import { TomlSyntaxError, parseToml } from "./tools/toml.ts";

/** The values of `--with` that change the settings of an agent. `all` does not include them. */
export const AGENT_NAMES = ["claude", "codex"] as const;
export type Agent = (typeof AGENT_NAMES)[number];

/** The events for which sophia-run has a hook. Both agents use the same names. */
const EVENTS = ["PreToolUse", "PostToolUse"] as const;
type Event = (typeof EVENTS)[number];

/**
 * The time in seconds after which an agent stops a hook, as docs/agents.md has it. A hook usually takes far less than one.
 */
const TIMEOUT_S = 15;

/** How the settings of one agent are read and changed. */
interface AgentSettings {
  readonly file: string;
  /** The argument of `sophia-run hook` that names the agent. */
  readonly hookArgument: string;
  /** The text of a new file before hooks are added. */
  readonly emptyText: string;
  /** @throws UnfitSettings */
  readonly parse: (text: string) => unknown;
  /** Returns the lines of an event's hook as they are printed for the user, without the indent of the file. */
  readonly hookLines: (event: Event, command: string) => readonly string[];
  /** Returns the text with a hook for each event. */
  readonly addHooks: (text: string, events: readonly Event[], command: string) => string;
  readonly remark?: string;
}

const SETTINGS: Readonly<Record<Agent, AgentSettings>> = {
  claude: {
    file: ".claude/settings.json",
    hookArgument: "claude-code",
    emptyText: "{}\n",
    parse: parseClaudeSettings,
    hookLines: (event, command) => [`"${event}": ${JSON.stringify([claudeHookGroup(command)])}`],
    addHooks: addClaudeHooks,
  },
  codex: {
    file: ".codex/config.toml",
    hookArgument: "codex",
    emptyText: "",
    parse: parseCodexSettings,
    hookLines: codexHookLines,
    addHooks: addCodexHooks,
    remark: "Codex reads it in a trusted project, and asks once whether it may run the hooks",
  },
};

const UNKNOWN_HOOKS_FORM = "its `hooks` do not have the form of docs/agents.md";

/** The settings cannot be changed. The message is the reason, which follows the words "cannot be changed:". */
class UnfitSettings extends Error {}

/**
 * Returns the step that adds the missing hooks.
 *
 * @throws SophiaError (file, 125) for settings that cannot be read or changed
 */
export async function createAgentStep(agent: Agent, survey: Survey): Promise<SetupStep> {
  const settings = SETTINGS[agent];
  const { file, emptyText, hookLines, remark } = settings;
  const existingText = await survey.read(file);
  const prefix = commandPrefix(survey);
  const command = `${prefix}sophia-run hook ${settings.hookArgument}`;
  try {
    const missing = findMissingEvents(existingText ?? emptyText, settings);
    if (missing.length === 0) return { kind: "ready", file };
    const text = withHooks(existingText ?? emptyText, missing, command, settings);
    const pathRemark = prefix === "" ? "the agent must find sophia-run on its PATH" : undefined;
    const remarks = [pathRemark, remark].filter((part) => part !== undefined);
    const change = { file, text, remark: remarks.length === 0 ? undefined : remarks.join("; ") };
    if (existingText === undefined) return { kind: "create", ...change };
    return { kind: "edit", ...change, newLines: missing.flatMap((event) => hookLines(event, command)) };
  } catch (error) {
    if (!(error instanceof UnfitSettings)) throw error;
    throw new SophiaError({
      code: "file",
      message: `${file} cannot be changed: ${error.message}`,
      hint: `correct it, or add the hooks by hand: ${REPOSITORY_URL}/blob/main/docs/agents.md has them`,
    });
  }
}

/**
 * Returns the words, with a space, that start an installed dependency: `npx `. Empty if the agent must find sophia-run on
 * the PATH.
 */
function commandPrefix({ project, pyproject = "" }: Survey): string {
  const { manifest, node, python } = project;
  if (manifest !== undefined && (hasDependency(manifest) || usesRootsDependency(project))) {
    // Without `--silent` Yarn 1 prints lines around the answer to the agent, which must be JSON.
    return node.name === "yarn 1" ? "yarn --silent run " : NODE_TOOLS[node.name].runPrefix;
  }
  return python !== undefined && hasPythonDependency(pyproject) ? PYTHON_TOOLS[python].runPrefix : "";
}

/**
 * Returns the events for which the settings have no hook of sophia-run. The settings of both agents have groups of hooks
 * for each event:
 *
 *     { hooks: { PreToolUse: [{ matcher: "*", hooks: [{ command: "sophia-run hook codex" }] }] } }
 *
 * @throws UnfitSettings
 */
function findMissingEvents(text: string, { parse, hookArgument }: AgentSettings): readonly Event[] {
  // Bytes that are not UTF-8 have become U+FFFD when the file was read. Writing the text would destroy them.
  if (text.includes("\uFFFD")) throw new UnfitSettings("it is not UTF-8");
  const { hooks = {} } = objectOf(parse(withoutMark(text))) ?? {};
  const hooksByEvent = objectOf(hooks);
  if (hooksByEvent === undefined) throw new UnfitSettings(UNKNOWN_HOOKS_FORM);
  // The repetitions have limits, since a search without limits takes quadratic time.
  const hookCommand = new RegExp(String.raw`\bsophia-run\S{0,99}\s{1,9}hook\s{1,9}${hookArgument}\b`);
  return EVENTS.filter((event) => {
    const { [event]: groups = [] } = hooksByEvent;
    if (!Array.isArray(groups)) throw new UnfitSettings(UNKNOWN_HOOKS_FORM);
    const eventHooks = groups.flatMap((group): readonly unknown[] => {
      const groupHooks = objectOf(group)?.["hooks"];
      return Array.isArray(groupHooks) ? groupHooks : [];
    });
    return !eventHooks.some((hook) => {
      const command = objectOf(hook)?.["command"];
      return typeof command === "string" && hookCommand.test(command);
    });
  });
}

/** Returns the text with the missing hooks. A byte order mark stays. @throws UnfitSettings */
function withHooks(text: string, missing: readonly Event[], command: string, settings: AgentSettings): string {
  const textWithoutMark = withoutMark(text);
  const byteOrderMark = text.slice(0, text.length - textWithoutMark.length);
  const edited = settings.addHooks(textWithoutMark, missing, command);
  // The edit may have failed: an inline table of TOML, such as `hooks = {}`, cannot be continued by further tables.
  if (!hasAllHooks(edited, settings)) throw new UnfitSettings(UNKNOWN_HOOKS_FORM);
  return byteOrderMark + edited;
}

function hasAllHooks(text: string, settings: AgentSettings): boolean {
  try {
    return findMissingEvents(text, settings).length === 0;
  } catch (error) {
    if (error instanceof UnfitSettings) return false;
    throw error;
  }
}

function claudeHookGroup(command: string): object {
  return { matcher: "*", hooks: [{ type: "command", command, timeout: TIMEOUT_S }] };
}

/** @throws UnfitSettings */
function parseClaudeSettings(text: string): unknown {
  try {
    const root = parseWithPositions(text, "jsonc");
    if (root.type !== "object") throw new UnfitSettings("it is not a JSON object");
    if ([root, findNodeAtLocation(root, ["hooks"])].some(hasDuplicateKey)) {
      throw new UnfitSettings("it has a key twice");
    }
    return getNodeValue(root);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const { line, column } = positionAt(text, error.fault.offset);
    throw new UnfitSettings(`it is not valid JSON (line ${line}, column ${column}: ${error.fault.message})`);
  }
}

function addClaudeHooks(text: string, events: readonly Event[], command: string): string {
  const formattingOptions = formattingOf(text);
  let edited = text;
  for (const event of events) {
    // The index -1 appends a group to the event's array, which is created if it does not exist.
    const edits = modify(edited, ["hooks", event, -1], claudeHookGroup(command), {
      formattingOptions,
      isArrayInsertion: true,
    });
    edited = applyEdits(edited, edits);
  }
  return edited;
}

function codexHookLines(event: Event, command: string): readonly string[] {
  return [
    `[[hooks.${event}]]`,
    `[[hooks.${event}.hooks]]`,
    'type = "command"',
    `command = ${JSON.stringify(command)}`,
    `timeout = ${TIMEOUT_S}`,
  ];
}

/** @throws UnfitSettings */
function parseCodexSettings(text: string): unknown {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlSyntaxError)) throw error;
    throw new UnfitSettings(error.message);
  }
}

/** Appends the hooks. In TOML the name of a table is absolute, so that it may follow any other table. */
function addCodexHooks(text: string, events: readonly Event[], command: string): string {
  const blocks = events.map((event) => `${codexHookLines(event, command).join("\n")}\n`);
  // An empty line separates the hooks from the text before them.
  const separator = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
  const addedText = separator + blocks.join("\n");
  return text + addedText.replaceAll("\n", lineBreakOf(text));
}

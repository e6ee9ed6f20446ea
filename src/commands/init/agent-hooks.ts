/** The hooks of docs/agents.md in the settings of coding agents. What these files have, comments too, is kept. */
import { applyEdits, findNodeAtLocation, getNodeValue, modify } from "jsonc-parser";
import { JsonSyntaxError, lineAndColumn, parseWithPositions } from "../../contract/file/positions.ts";
import { SophiaError } from "../../core/error.ts";
import { REPOSITORY } from "../parts/package-source.ts";
import { withoutMark } from "../../core/text.ts";
import { formattingOf, hasKeyTwice, lineBreakOf } from "./json-edits.ts";
import { NODE_TOOLS } from "./node-tools.ts";
import { hasDependency, objectOf } from "./package-json.ts";
import { usesRootsDependency, type Survey } from "./project-survey.ts";
import { hasPythonDependency, PYTHON_TOOLS } from "./python.ts";
import type { SetupStep } from "./setup-step.ts";
import { NotToml, parseToml } from "./tools/toml.ts";

/** The values of `--with` that change the settings of an agent. `all` does not mean them. */
export const AGENT_NAMES = ["claude", "codex"] as const;
export type Agent = (typeof AGENT_NAMES)[number];

const EVENTS = ["PreToolUse", "PostToolUse"] as const;
type Event = (typeof EVENTS)[number];

const TIMEOUT_S = 15;

interface AgentSettings {
  readonly file: string;
  /** The argument of `sophia-run hook`. */
  readonly argument: string;
  /** A file without settings. */
  readonly empty: string;
  /** @throws Unfit */
  readonly parse: (text: string) => unknown;
  /** Returns the lines for an event as they are printed, without the indent of the file. */
  readonly lines: (event: Event, command: string) => readonly string[];
  readonly add: (text: string, events: readonly Event[], command: string) => string;
  readonly remark?: string;
}

const SETTINGS: Readonly<Record<Agent, AgentSettings>> = {
  claude: {
    file: ".claude/settings.json",
    argument: "claude-code",
    empty: "{}\n",
    parse: parseJson,
    lines: (event, command) => [`"${event}": ${JSON.stringify([claudeGroup(command)])}`],
    add: addToJson,
  },
  codex: {
    file: ".codex/config.toml",
    argument: "codex",
    empty: "",
    parse: parseSettings,
    lines: codexLines,
    add: addToToml,
    remark: "Codex reads it in a trusted project, and asks once whether it may run the hooks",
  },
};

const OTHER_FORM = "its `hooks` do not have the form of docs/agents.md";

/** The reason why settings cannot be changed. */
class Unfit extends Error {}

/** Returns the step that adds what is missing. @throws SophiaError (file, 125) for settings that cannot be read or changed */
export async function agentStep(agent: Agent, survey: Survey): Promise<SetupStep> {
  const settings = SETTINGS[agent];
  const { file, empty, lines, remark } = settings;
  const former = await survey.read(file);
  const prefix = commandPrefix(survey);
  const command = `${prefix}sophia-run hook ${settings.argument}`;
  try {
    const missing = missingEvents(former ?? empty, settings);
    if (missing.length === 0) return { kind: "ready", file };
    const text = withHooks(former ?? empty, missing, command, settings);
    const remarks = [prefix === "" ? "the agent must find sophia-run on its PATH" : [], remark ?? []].flat();
    const shared = { file, text, remark: remarks.length === 0 ? undefined : remarks.join("; ") };
    if (former === undefined) return { kind: "create", ...shared };
    return { kind: "edit", ...shared, written: missing.flatMap((event) => lines(event, command)) };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    throw new SophiaError({
      code: "file",
      message: `${file} cannot be changed: ${error.message}`,
      hint: `correct it, or add the hooks by hand: ${REPOSITORY}/blob/main/docs/agents.md has them`,
    });
  }
}

/** Returns what starts an installed dependency; empty for a sophia-run on the PATH. */
function commandPrefix({ project, pyproject = "" }: Survey): string {
  const { manifest, node, python } = project;
  if (manifest !== undefined && (hasDependency(manifest) || usesRootsDependency(project))) {
    // Yarn 1 prints lines around the answer to the agent, which must be JSON.
    return node.name === "yarn 1" ? "yarn --silent run " : NODE_TOOLS[node.name].run;
  }
  return python !== undefined && hasPythonDependency(pyproject) ? PYTHON_TOOLS[python].run : "";
}

/** Returns the events without a hook of ours, whatever its form and its options. @throws Unfit */
function missingEvents(text: string, { parse, argument }: AgentSettings): readonly Event[] {
  // A write would replace the bytes.
  if (text.includes("\uFFFD")) throw new Unfit("it is not UTF-8");
  const { hooks = {} } = objectOf(parse(withoutMark(text))) ?? {};
  // With limits, since a search without them takes quadratic time.
  const isOurs = new RegExp(String.raw`\bsophia-run\S{0,99}\s{1,9}hook\s{1,9}${argument}\b`);
  return EVENTS.filter((event) => {
    const { [event]: groups = [] } = objectOf(hooks) ?? {};
    if (objectOf(hooks) === undefined || !Array.isArray(groups)) throw new Unfit(OTHER_FORM);
    const entries = groups.flatMap((group): readonly unknown[] => {
      const own = objectOf(group)?.["hooks"];
      return Array.isArray(own) ? own : [];
    });
    return !entries.some((entry) => {
      const command = objectOf(entry)?.["command"];
      return typeof command === "string" && isOurs.test(command);
    });
  });
}

function withHooks(text: string, missing: readonly Event[], command: string, settings: AgentSettings): string {
  const bare = withoutMark(text);
  const added = settings.add(bare, missing, command);
  // To an inline table of TOML no other can be added.
  if (!isComplete(added, settings)) throw new Unfit(OTHER_FORM);
  return text.slice(0, text.length - bare.length) + added;
}

function isComplete(text: string, settings: AgentSettings): boolean {
  try {
    return missingEvents(text, settings).length === 0;
  } catch (error) {
    if (error instanceof Unfit) return false;
    throw error;
  }
}

function claudeGroup(command: string): object {
  return { matcher: "*", hooks: [{ type: "command", command, timeout: TIMEOUT_S }] };
}

function parseJson(text: string): unknown {
  try {
    const root = parseWithPositions(text, "jsonc");
    if (root.type !== "object") throw new Unfit("it is not a JSON object");
    if ([root, findNodeAtLocation(root, ["hooks"])].some(hasKeyTwice)) throw new Unfit("it has a key twice");
    return getNodeValue(root);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const { line, column } = lineAndColumn(text, error.fault.offset);
    throw new Unfit(`it is not valid JSON (line ${line}, column ${column}: ${error.fault.message})`);
  }
}

function addToJson(text: string, events: readonly Event[], command: string): string {
  const formattingOptions = formattingOf(text);
  let edited = text;
  for (const event of events) {
    const edits = modify(edited, ["hooks", event, -1], claudeGroup(command), {
      formattingOptions,
      isArrayInsertion: true,
    });
    edited = applyEdits(edited, edits);
  }
  return edited;
}

function codexLines(event: Event, command: string): readonly string[] {
  return [
    `[[hooks.${event}]]`,
    `[[hooks.${event}.hooks]]`,
    'type = "command"',
    `command = ${JSON.stringify(command)}`,
    `timeout = ${TIMEOUT_S}`,
  ];
}

function parseSettings(text: string): unknown {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof NotToml)) throw error;
    throw new Unfit(error.message);
  }
}

/** Appends: the name of a table is absolute, wherever it is. */
function addToToml(text: string, events: readonly Event[], command: string): string {
  const blocks = events.map((event) => `${codexLines(event, command).join("\n")}\n`);
  const lead = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
  return text + (lead + blocks.join("\n")).replaceAll("\n", lineBreakOf(text));
}

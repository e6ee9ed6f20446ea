/**
 * Recognizes who reads the output of this process: a coding agent, or GitHub Actions. `--redact=auto` then masks secrets, and
 * commands that print secrets refuse to.
 */
import type { Environment } from "../../core/model.ts";

/** GitHub's runner sets it to `true`. */
export const GITHUB_VARIABLE = "GITHUB_ACTIONS";

/**
 * Coding agents by the variables that they set for their commands (docs/masking.md has the same table). A variable is not here if
 * users' own terminals have it (CURSOR_TRACE_ID, REPL_ID, TERM_PROGRAM), or if it is a setting of the agent (CODEX_HOME,
 * GOOSE_PROVIDER, OPENCODE_CLIENT). Each line ends with the document or code that names the variable.
 */
export const AGENTS: Readonly<Record<string, string>> = {
  CLAUDECODE: "Claude Code", // its documentation of environment variables
  CODEX_SANDBOX: "Codex", // AGENTS.md and spawn.rs in openai/codex
  CODEX_SANDBOX_NETWORK_DISABLED: "Codex", // AGENTS.md and spawn.rs in openai/codex
  CODEX_CI: "Codex", // AGENTS.md and spawn.rs in openai/codex
  CODEX_THREAD_ID: "Codex", // AGENTS.md and spawn.rs in openai/codex
  COPILOT_CLI: "GitHub Copilot", // the detection of agents in cli/cli
  COPILOT_AGENT_SESSION_ID: "GitHub Copilot", // the detection of agents in cli/cli
  CURSOR_AGENT: "Cursor", // its documentation of the agent's terminal
  GEMINI_CLI: "Gemini CLI", // its documentation of the shell tool
  QWEN_CODE: "Qwen Code", // its documentation of the shell tool
  OPENCODE: "OpenCode", // its sources
  CRUSH: "Crush", // its sources
  CLINE_ACTIVE: "Cline", // VscodeTerminalRegistry.ts in cline/cline
  AUGMENT_AGENT: "Augment", // its reference of the shell environment
  AMP_CURRENT_THREAD_ID: "Amp", // its manual
  GOOSE_TERMINAL: "goose", // its documentation
  ANTIGRAVITY_AGENT: "Antigravity", // the detection of agents in cli/cli
  PI_CODING_AGENT: "pi", // earendil-works/pi
  TRAE_AI_SHELL_ID: "Trae", // its terminal
  AI_AGENT: "a coding agent", // the proposals for a common variable, agents.md, Bun
};

/** The values of the variable AGENT that agents set. Other programs use this name for other things. */
const AGENT_VALUES: ReadonlySet<string> = new Set(["1", "true", "amp", "goose", "crush"]);

/** Returns the variable by which GitHub Actions or a coding agent is recognized; undefined if the user reads the output. */
export function findOutputReader(environment: Environment): string | undefined {
  return environment.get(GITHUB_VARIABLE) === "true" ? GITHUB_VARIABLE : findAgentVariable(environment);
}

/** Returns the variable by which a coding agent is recognized, even in a job of GitHub Actions; undefined for none. */
export function findAgentVariable(environment: Environment): string | undefined {
  const isOn = (name: string): boolean => !["", "0", "false"].includes(environment.get(name) ?? "");
  // The first variable of the table wins: those that name their agent come before AI_AGENT, which does not.
  const variable = Object.keys(AGENTS).find(isOn);
  if (variable !== undefined) return variable;
  return AGENT_VALUES.has(environment.get("AGENT") ?? "") ? "AGENT" : undefined;
}

/** Returns the reader's name for messages. @param variable the result of `findOutputReader` or `findAgentVariable` */
export function readerName(variable: string): string {
  return variable === GITHUB_VARIABLE ? "GitHub Actions" : (AGENTS[variable] ?? "a coding agent");
}

import type { Environment } from "../../core/model.ts";

/**
 * The variables by which coding agents say that they run a command, as their documentation or sources have it; the table in
 * docs/masking.md names these. Not here: what people's own terminals have too (CURSOR_TRACE_ID, REPL_ID, TERM_PROGRAM), and
 * settings (CODEX_HOME, GOOSE_PROVIDER, OPENCODE_CLIENT).
 */
export const AGENT_VARIABLES = [
  "CLAUDECODE",
  "CODEX_SANDBOX",
  "CODEX_SANDBOX_NETWORK_DISABLED",
  "CODEX_CI",
  "CODEX_THREAD_ID",
  "COPILOT_CLI",
  "COPILOT_AGENT_SESSION_ID",
  "CURSOR_AGENT",
  "GEMINI_CLI",
  "QWEN_CODE",
  "OPENCODE",
  "CRUSH",
  "CLINE_ACTIVE",
  "AUGMENT_AGENT",
  "AMP_CURRENT_THREAD_ID",
  "GOOSE_TERMINAL",
  "ANTIGRAVITY_AGENT",
  "PI_CODING_AGENT",
  "TRAE_AI_SHELL_ID",
  "AI_AGENT",
];

/** The values of `AGENT` that mean an agent: the name has other uses. */
const AGENT_VALUES: ReadonlySet<string> = new Set(["1", "true", "amp", "goose", "crush"]);

export const GITHUB_VARIABLE = "GITHUB_ACTIONS";

/**
 * Returns the variable which says that GitHub Actions or a coding agent keeps the output, so that `--redact=auto` masks it.
 *
 * @param environment the process environment; no other source counts
 */
export function keeperOfOutput(environment: Environment): string | undefined {
  return environment.get(GITHUB_VARIABLE) === "true" ? GITHUB_VARIABLE : agentBy(environment);
}

/** Returns the variable by which a coding agent says that it runs the command, also in a job of GitHub Actions. */
export function agentBy(environment: Environment): string | undefined {
  const isOn = (name: string): boolean => !["", "0", "false"].includes(environment.get(name) ?? "");
  return AGENT_VARIABLES.find(isOn) ?? (AGENT_VALUES.has(environment.get("AGENT") ?? "") ? "AGENT" : undefined);
}

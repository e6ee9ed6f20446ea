import type { Environment } from "../../core/model.ts";

/**
 * The variables by which coding agents say that they run a command, as their documentation or sources have it; the table in
 * docs/masking.md names these. Not here: what people's own terminals have too (CURSOR_TRACE_ID, REPL_ID, TERM_PROGRAM), and
 * settings (CODEX_HOME, GOOSE_PROVIDER, OPENCODE_CLIENT).
 */
export const AGENT_VARIABLES: Readonly<Record<string, string>> = {
  CLAUDECODE: "Claude Code",
  CODEX_SANDBOX: "Codex",
  CODEX_SANDBOX_NETWORK_DISABLED: "Codex",
  CODEX_CI: "Codex",
  CODEX_THREAD_ID: "Codex",
  COPILOT_CLI: "GitHub Copilot",
  COPILOT_AGENT_SESSION_ID: "GitHub Copilot",
  CURSOR_AGENT: "Cursor",
  GEMINI_CLI: "Gemini CLI",
  QWEN_CODE: "Qwen Code",
  OPENCODE: "OpenCode",
  CRUSH: "Crush",
  CLINE_ACTIVE: "Cline",
  AUGMENT_AGENT: "Augment",
  AMP_CURRENT_THREAD_ID: "Amp",
  GOOSE_TERMINAL: "goose",
  ANTIGRAVITY_AGENT: "Antigravity",
  PI_CODING_AGENT: "pi",
  TRAE_AI_SHELL_ID: "Trae",
  AI_AGENT: "a coding agent",
};

/** The values of `AGENT`, a name that others use for other things. */
const AGENTS = new Set(["1", "true", "amp", "goose", "crush"]);

/**
 * Who reads the output and keeps it, where `--redact=auto` masks it: GitHub Actions or a coding agent.
 *
 * @param environment the process environment; nothing else can say it
 * @returns words such as `Claude Code`; undefined: neither
 */
export function keeperOfOutput(environment: Environment): string | undefined {
  if (environment.get("GITHUB_ACTIONS") === "true") return "GitHub Actions";
  for (const [name, agent] of Object.entries(AGENT_VARIABLES)) {
    const value = environment.get(name) ?? "";
    if (value !== "" && value !== "0" && value !== "false") return agent;
  }
  return AGENTS.has(environment.get("AGENT") ?? "") ? "a coding agent" : undefined;
}

import { AGENT_VARIABLES, GITHUB_VARIABLE } from "./agents.ts";

/** Who sets the variables. */
const KEEPERS: Readonly<Record<(typeof AGENT_VARIABLES)[number] | typeof GITHUB_VARIABLE, string>> = {
  GITHUB_ACTIONS: "GitHub Actions",
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

/** Who has set a variable that `keeperOfOutput` gives, in words. */
export function keeperBy(variable: string): string {
  return Object.entries(KEEPERS).find(([name]) => name === variable)?.[1] ?? "a coding agent";
}

/** The owners of the variables that `keeperOfOutput` returns, by how these begin. Apart, since most starts need no name. */
const KEEPERS = [
  ["GITHUB_ACTIONS", "GitHub Actions"],
  ["CLAUDECODE", "Claude Code"],
  ["CODEX_", "Codex"],
  ["COPILOT_", "GitHub Copilot"],
  ["CURSOR_AGENT", "Cursor"],
  ["GEMINI_CLI", "Gemini CLI"],
  ["QWEN_CODE", "Qwen Code"],
  ["OPENCODE", "OpenCode"],
  ["CRUSH", "Crush"],
  ["CLINE_ACTIVE", "Cline"],
  ["AUGMENT_AGENT", "Augment"],
  ["AMP_CURRENT_THREAD_ID", "Amp"],
  ["GOOSE_TERMINAL", "goose"],
  ["ANTIGRAVITY_AGENT", "Antigravity"],
  ["PI_CODING_AGENT", "pi"],
  ["TRAE_AI_SHELL_ID", "Trae"],
] as const;

export function keeperBy(variable: string): string {
  return KEEPERS.find(([beginning]) => variable.startsWith(beginning))?.[1] ?? "a coding agent";
}

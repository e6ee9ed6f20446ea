/** The definition of `sophia-run hook`: its texts for help and completion, its options and exit statuses. */
import { ExitStatus } from "../../core/error.ts";
import type { CommandDefinition } from "../command.ts";
import { BLOCKING_STATUS } from "./blocking-hook.ts";

export const hookCommand: CommandDefinition = {
  describe: "Mask what a coding agent's tools read; a command for its hooks",
  details: [
    "Reads the JSON of a hook from the standard input and answers with JSON. After a tool has run (PostToolUse), each text " +
      "of its output in which a secret occurs is replaced by one with ***. Before a tool runs (PreToolUse), a file that holds the " +
      "token of ESC, Pulumi's login or a .env with secrets is denied; for Codex also a shell command that names it. For Claude Code a " +
      "shell command gets a line in front, by which sophia-run mask masks its output. The hook never allows anything: what " +
      "it does not deny goes the agent's normal way. docs/agents.md has the settings.",
    "Values of ESC are taken from the encrypted cache if they are at most 10 minutes old (--cache-fresh). If ESC cannot be " +
      "read within 5 seconds, a warning says so once a day.",
    "A hook that fails changes nothing, prints the reason and ends with 0, since an agent must not stop because of it.",
  ],
  positional: { form: "AGENT", minCount: 1, maxCount: 1, kind: ["claude-code", "codex"] },
  options: {
    "no-rewrite": { type: "boolean", describe: "Leave shell commands of Claude Code as they are" },
    strict: { type: "boolean", describe: "End with 2 on a failure, which blocks the tool" },
  },
  statuses: { 0: "answered, or nothing to change", [BLOCKING_STATUS]: "with --strict: the hook has failed" },
  failureStatus: (words) => (words.includes("--strict") ? BLOCKING_STATUS : ExitStatus.failed),
  examples: ["sophia-run hook claude-code", "sophia-run hook codex --strict"],
  load: async () => (await import("./hook.ts")).hook,
};

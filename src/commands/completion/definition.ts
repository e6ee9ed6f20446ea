/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const completionCommand: CommandDefinition = {
  describe: "Print a completion script for a shell",
  details: [
    "The script completes subcommands, options, their values and, for explain, the variables of the contract. After -- " +
      "the shell completes the command. The folders of the examples must exist; for zsh that folder must be in fpath.",
  ],
  positional: { form: "SHELL", minCount: 1, maxCount: 1, kind: ["bash", "zsh", "fish"] },
  statuses: { 0: "the script is printed" },
  examples: [
    "sophia-run completion bash >> ~/.bashrc",
    "sophia-run completion zsh > ~/.zfunc/_sophia-run",
    "sophia-run completion fish > ~/.config/fish/completions/sophia-run.fish",
  ],
  load: async () => (await import("./completion.ts")).completion,
};

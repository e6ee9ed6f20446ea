/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const exportCommand: CommandDefinition = {
  describe: "Print the configuration for other programs",
  details: [
    "Prints the variables that sophia-run adds (from ESC, files and the contract's defaults) and those that the " +
      "contract declares, from any source; not the rest of the process environment. The contract is checked first, as " +
      "for a run. Files of ESC (values.files) are not printed: only a program started by sophia-run gets them.",
    "If the format, or one of the programs that read it, cannot hold a value, the command names the variable, prints " +
      "nothing and ends with 125. dotenv: the format that the npm package dotenv, node --env-file and python-dotenv all read. shell: for " +
      "eval or source in bash, dash, zsh and other POSIX shells. docker: for docker run --env-file.",
    "github: for later steps of a GitHub Actions job. Appends to the file that GITHUB_ENV names and prints an " +
      "add-mask command for each line of a secret. If standard output is that file, the commands go to standard " +
      "error, which the runner also reads. Without GITHUB_ENV everything goes to standard output.",
    "The values are the real ones, also if SOPHIA_BROKER is set; a notice says so.",
    "With --audit-log the names of the exported variables are recorded first.",
    "Secrets are not printed to a terminal or under a coding agent unless --reveal is given. --output replaces the " +
      "file atomically by one that only its owner can read.",
  ],
  options: {
    format: {
      type: "string",
      choices: ["dotenv", "shell", "fish", "json", "github", "docker"],
      value: "FORMAT",
      describe: "dotenv (default), shell, fish, json, github or docker",
    },
    output: { type: "string", value: "FILE", describe: "Write to this file instead of the standard output" },
    reveal: { type: "boolean", describe: "Print even to a terminal or a coding agent" },
  },
  statuses: { 0: "the configuration is written", 78: "the contract is not met" },
  examples: [
    "sophia-run export --output .env.local",
    'eval "$(sophia-run export --format shell)"',
    "sophia-run export --format json | jq keys",
    "docker run --env-file <(sophia-run export --format docker) image",
    "sophia-run export --format github",
  ],
  load: async () => (await import("./export.ts")).exportVariables,
};

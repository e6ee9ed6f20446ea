/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const getCommand: CommandDefinition = {
  describe: "Print the value of one variable",
  details: [
    "Prints the value that a program would get, from any source and byte for byte, without a line break behind it; at a " +
      "terminal with one. Of a file of ESC (values.files) it prints the content. Of the contract only the rules on this " +
      "variable are checked.",
    "Secrets are not printed to a terminal or under a coding agent unless --reveal is given. In GitHub Actions an " +
      "add-mask command for each line of a secret goes to the standard error first. The value is the real one, also if " +
      "SOPHIA_BROKER is set; a notice says so. With --audit-log the name is recorded first.",
    "A name that the contract does not declare and no source sets is an error (125).",
  ],
  positional: { form: "NAME", minCount: 1, maxCount: 1, kind: "variable" },
  options: {
    json: { type: "boolean", describe: "Print a versioned JSON object with the value and its origin" },
    reveal: { type: "boolean", describe: "Print even to a terminal or a coding agent" },
  },
  statuses: {
    0: "the value is printed",
    1: "no source sets the variable, or a program would not get it",
    78: "the contract requires the variable, or does not accept its value",
  },
  examples: [
    "PORT=$(sophia-run get PORT)",
    "sophia-run get REGISTRY_TOKEN | docker login --username ci --password-stdin",
    "sophia-run get QDRANT_API_KEY --json | jq .origin",
  ],
  load: async () => (await import("./get.ts")).getValue,
};

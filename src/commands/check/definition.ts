import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const checkCommand: CommandDefinition = {
  describe: "Check that the configuration meets the contract; nothing is started",
  details: [
    "Shows where ESC stands, each variable of the contract with its value masked, and what to do about each rule " +
      "that is not met. Exit status: 0; 1 where the contract is not met.",
    "With --against nothing is opened and no credentials are minted: one table tells which of the environments sets " +
      "which variable, from ESC alone. What is secret, or comes from a provider, is told as set with its value not " +
      "known, and counts as valid. Exit status: 1 where a variable is set in one environment and missing in another, " +
      "or one of them surely does not meet the contract.",
  ],
  options: {
    against: {
      type: "string",
      value: "ENV,ENV…",
      describe: "Compare these ESC environments with each other, such as sophia/dev,sophia/prod",
    },
    json: JSON_OPTION,
  },
  groups: ["Sources", "Contract", "Environment of the program", "Output"],
  examples: [
    "sophia-run check",
    "sophia-run check --profile prod --json",
    "sophia-run check --against sophia/dev,sophia/staging,sophia/prod",
  ],
  load: async () => (await import("./check.ts")).check,
};

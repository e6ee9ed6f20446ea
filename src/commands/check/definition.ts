import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const checkCommand: CommandDefinition = {
  describe: "Check that the configuration meets the contract",
  details: [
    "Nothing is started. Shows the state of ESC, each variable of the contract with its value masked, and what to do about each rule " +
      "that is not met.",
    "With --against no environment is opened and no credentials are minted: one table shows which environment sets " +
      "which variable, from ESC alone. A secret, or a value from a provider, is shown as set with an unknown value, " +
      "and counts as valid. Exit status: 1 if one of them certainly does not meet the contract; with --strict also if " +
      "a variable is set in one environment and missing in another.",
    "With --live each value that has a probe in the contract is sent to its service, over TLS or within this machine, " +
      "with 5 seconds for each. What the service rejects fails; what nobody can tell (no connection, no credit, over the " +
      "quota, no permission) is a warning.",
  ],
  options: {
    against: {
      type: "string",
      value: "ENV,ENV…",
      describe: "Check these ESC environments, and compare them with each other: sophia/dev,sophia/prod",
    },
    overdue: {
      type: "boolean",
      describe: "Fail, too, if a secret is older than the contract's rotateEvery, by the history of ESC",
    },
    live: { type: "boolean", describe: "Ask the services themselves whether the values work; sends each to its own" },
    yes: {
      type: "boolean",
      short: "y",
      describe: "With --live: send values where a contract or .env file of the folder says, without asking",
    },
    strict: {
      type: "boolean",
      describe: "With --against: drift between the environments fails too; with --live: what could not be tried, too",
    },
    json: JSON_OPTION,
  },
  statuses: { 0: "the contract is met", 1: "it is not, or what was asked for beside it fails" },
  examples: [
    "sophia-run check",
    "sophia-run check --profile prod --json",
    "sophia-run check --overdue",
    "sophia-run check --live --strict",
    "sophia-run check --against sophia/prod",
    "sophia-run check --against sophia/dev,sophia/staging,sophia/prod --strict",
  ],
  load: async () => (await import("./check.ts")).check,
};

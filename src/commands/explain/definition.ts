import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const explainCommand: CommandDefinition = {
  describe: "Show where each variable comes from and what it hides",
  details: [
    "Without names: every variable that the contract declares, and what else ESC and files give. No value is ever " +
      "shown. Undeclared variables of the process environment are only counted; --all lists them too.",
  ],
  positional: { form: "[NAME…]", least: 0, most: Infinity, kind: "variable" },
  options: {
    all: { type: "boolean", describe: "List undeclared variables of the process environment too" },
    json: JSON_OPTION,
  },
  statuses: { 0: "also where the contract is not met" },
  examples: ["sophia-run explain", "sophia-run explain QDRANT_URL DATABASE_URL", "sophia-run explain --all --json"],
  load: async () => (await import("./explain.ts")).explain,
};

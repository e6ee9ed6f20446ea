/** The texts of `sophia-run explain` for help and completion. Its code is loaded only when it runs. */
import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const explainCommand: CommandDefinition = {
  describe: "Show where each variable comes from and what it overrides",
  details: [
    "Without NAME, lists the variables that the contract declares and the others that ESC and files set. Undeclared " +
      "variables of the process environment are only counted. Values are never printed.",
    "With --broker and NAME: what the program gets in place of a key, where the key goes and who says so, which paths are " +
      "denied, and where else the key lies. With --refresh or --aws-refresh: what becomes of credentials and files.",
  ],
  positional: { form: "[NAME…]", minCount: 0, maxCount: Infinity, kind: "variable" },
  options: {
    all: { type: "boolean", describe: "List undeclared variables of the process environment as well" },
    json: JSON_OPTION,
  },
  statuses: { 0: "the report is complete, even if the contract is not met" },
  examples: [
    "sophia-run explain",
    "sophia-run explain QDRANT_URL DATABASE_URL",
    "sophia-run explain --broker OPENAI_API_KEY",
    "sophia-run explain --all --json",
  ],
  load: async () => (await import("./explain.ts")).explain,
};

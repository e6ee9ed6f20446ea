/** The texts of `sophia-run check` for help and completion. Its code is loaded only when it runs. */
import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const checkCommand: CommandDefinition = {
  describe: "Check that the configuration meets the contract",
  details: [
    "Starts nothing. Prints the state of ESC, each variable of the contract with its value masked, and a remedy for each " +
      "rule that is not met.",
    "--against compares ESC environments without opening them, so that no dynamic credentials are issued. A table shows " +
      "which environment sets which variable; other sources are not read. A secret, or a value from a provider, is shown as " +
      "set*: its value is not known and counts as valid. The check fails if an environment certainly breaks a rule of the " +
      "contract.",
    "--live sends each value that has a probe in the contract to its service, over TLS or within this machine, with a time " +
      "limit of 5 seconds. The check fails if the service rejects a value. If a value could not be tried (no connection, " +
      "no credit, quota exceeded, no permission), that is a warning.",
    "--refresh shows which credentials and files a start would renew, how long they live, and what the program gets in their " +
      "place; --aws-refresh shows it for AWS alone. The check fails if they cannot be renewed.",
    "--broker shows which keys a program would get dummies for, where each key goes, and who says so. The check fails if a " +
      "start with --broker would be refused. Nothing listens, and nothing is sent.",
    "--code compares the code below FOLDER, by default the project, with the contract: variables that the code reads and the " +
      "contract does not declare, and declared ones that nothing reads, each with file and line. It knows JavaScript, " +
      "TypeScript, Python, Go, Rust, shell, Dockerfile and Compose. It also reads turbo.json, which must pass variables on. " +
      "No source is read, so that it needs neither ESC nor a value.",
  ],
  positional: { form: "[FOLDER]", minCount: 0, maxCount: 1, onlyWith: "code", kind: "file" },
  options: {
    against: {
      type: "string",
      value: "ENV,ENV…",
      describe: "Compare these ESC environments and check each, such as sophia/dev,sophia/prod",
    },
    overdue: {
      type: "boolean",
      describe: "Also fail if the history of ESC shows a secret older than the contract's rotateEvery",
    },
    live: { type: "boolean", describe: "Test values by sending each to its own service" },
    yes: {
      type: "boolean",
      short: "y",
      describe: "With --live: do not ask before sending values to hosts that files of this folder name",
    },
    code: { type: "boolean", describe: "Compare the variables that code reads with the contract" },
    strict: {
      type: "boolean",
      describe:
        "Fail also if only some environments set a variable (--against), a value could not be tried (--live), or code reads " +
        "an undeclared variable (--code)",
    },
    json: JSON_OPTION,
  },
  statuses: {
    0: "the contract is met",
    1: "the contract is not met, or --against, --overdue, --live, --broker, --refresh or --code fails",
  },
  examples: [
    "sophia-run check",
    "sophia-run check --profile prod --json",
    "sophia-run check --overdue",
    "sophia-run check --live --strict",
    "sophia-run check --broker",
    "sophia-run check --code --strict",
    "sophia-run check --code packages/web --scope web",
    "sophia-run check --against sophia/prod",
    "sophia-run check --against sophia/dev,sophia/staging,sophia/prod --strict",
  ],
  load: async () => (await import("./check.ts")).check,
};

/** The texts of `sophia-run enforce` for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";
import { CONFIRMATION_OPTIONS, FOUND_ENVIRONMENT_HELP, WRITE_TOKEN_HELP } from "../parts/writing/write-options.ts";

export const enforceCommand: CommandDefinition = {
  describe: "Have Pulumi ESC itself check values by the contract",
  details: [
    "Writes the contract as a schema into the ESC environment (fn::validate), beside environmentVariables, which stay as they " +
      "are. From then on ESC refuses a value that violates the contract from anyone: when the environment is saved, and when " +
      "it is opened by any program. Run the command again when the contract changes; --check reports if it must be.",
    "The values that the environment has now must meet the contract; if they do not, nothing is written. What a schema of ESC " +
      "cannot express is printed; only a start checks it. The schema is never stricter than the contract.",
    "An environment may hold a part of the contract alone: --only and --except limit what ESC checks, and the schema records " +
      "them for --check and audit. An environment that others import should require only what it holds itself; the question " +
      "before writing names them, if the service does.",
    `${WRITE_TOKEN_HELP} ` +
      "For --check and --dry-run the launcher's own token is enough, if it may read the definition.",
    FOUND_ENVIRONMENT_HELP,
  ],
  options: {
    in: { type: "string", value: "ENV", describe: "The environment to write (default: ESC_ENV)" },
    only: { type: "list", value: "GLOB", describe: "Check only these variables, such as 'DB_*'" },
    except: { type: "list", value: "GLOB", describe: "Check all but these variables" },
    key: {
      type: "string",
      value: "NAME",
      describe: "The entry of values that gets the schema (default: the one that has it, else contract)",
    },
    check: { type: "boolean", describe: "Write nothing; end with 1 if the schema is missing or differs" },
    remove: { type: "boolean", describe: "Take the schema out again" },
    ...CONFIRMATION_OPTIONS,
  },
  statuses: {
    0: "ESC checks the values by the contract, or no longer with --remove",
    1: "with --check: the schema is missing or differs; else you declined",
    3: "the change waits for an approval",
    78: "the values violate the contract: nothing was written",
  },
  examples: [
    "sophia-run enforce --dry-run",
    "sophia-run enforce --in acme/app/prod",
    "sophia-run enforce --in acme/app/base --only 'DB_*'",
    "sophia-run enforce --check",
    "sophia-run enforce --remove",
  ],
  load: async () => (await import("./enforce.ts")).enforce,
};

/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";
import { FOUND_ENVIRONMENT_HELP, WRITE_TOKEN_HELP, createWriteOptions } from "../parts/writing/write-options.ts";

export const importCommand: CommandDefinition = {
  describe: "Write the variables of a .env file into the ESC environment",
  details: [
    "Writes one revision. Variables become fn::secret, unless the contract declares them not secret, or --plain names them. " +
      "One whose value holds a credential in a known form, or that replaces a secret, becomes one anyway, but for --plain " +
      "and a reason in the contract. Prints names and never a value, asks before it writes, and reads " +
      "the values back. PULUMI_BACKEND_URL, settings of sophia-run and undeclared names with ESC_ or SOPHIA_ are left out. Other values that ESC already has stay, " +
      "unless --overwrite is given. At a terminal the command then offers to remove the written variables from the file.",
    `${WRITE_TOKEN_HELP} For --dry-run the launcher's own token is enough.`,
    FOUND_ENVIRONMENT_HELP,
  ],
  positional: { form: "FILE", minCount: 1, maxCount: 1, kind: "file" },
  options: {
    ...createWriteOptions("values"),
    plain: { type: "list", value: "NAME", describe: "Write this variable as plain text; may be given several times" },
  },
  statuses: {
    0: "ESC has the variables of the file",
    1: "a variable was left out, since ESC has another value, or you declined",
    3: "the change waits for an approval",
  },
  examples: [
    "sophia-run import .env --dry-run",
    "sophia-run import .env",
    "sophia-run import .env --plain LOG_LEVEL --plain REGION",
    "sophia-run import prod.env --in acme/app/prod --yes",
  ],
  load: async () => (await import("./import.ts")).importFile,
};

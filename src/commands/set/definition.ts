/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";
import { FOUND_ENVIRONMENT_HELP, WRITE_TOKEN_HELP, createWriteOptions } from "../parts/writing/write-options.ts";

export const setCommand: CommandDefinition = {
  describe: "Set the first value of a variable in the ESC environment",
  details: [
    "Reads the value from a prompt that does not show it, or from the standard input: several lines are possible, and one " +
      "line break at the end is dropped. The value must have the format that the contract declares. It becomes fn::secret, " +
      "as with import, unless the contract declares it not secret, or --plain is given. The rest of the definition does not change. The written value is read back.",
    "At a terminal the command asks before it writes. If ESC already has a different value, it is kept unless --overwrite is " +
      "given; to replace it where ESC defines it, use sophia-run rotate.",
    `${WRITE_TOKEN_HELP} ` +
      "For --dry-run the launcher's own token is enough. Under a coding agent there are no prompts: the value comes from " +
      "the standard input, and the token from the environment.",
    "At a terminal several names are possible, which the contract must declare: their values are written in one revision, " +
      "such as when a schema of ESC (sophia-run enforce) refuses two of them.",
    FOUND_ENVIRONMENT_HELP,
  ],
  positional: { form: "NAME…", minCount: 1, maxCount: Infinity, kind: "variable" },
  options: {
    ...createWriteOptions("a value"),
    plain: { type: "boolean", describe: "Write it as plain text" },
  },
  statuses: {
    0: "ESC has the value",
    1: "ESC has another value, which stays, or you declined",
    3: "the change waits for an approval",
  },
  examples: [
    "sophia-run set QDRANT_API_KEY",
    "sophia-run set TLS_KEY < key.pem",
    "sophia-run set DATABASE_URL PORT --overwrite",
    "pass show qdrant | sophia-run set QDRANT_API_KEY --in acme/app/prod",
  ],
  load: async () => (await import("./set.ts")).set,
};

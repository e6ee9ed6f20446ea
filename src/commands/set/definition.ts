import type { CommandDefinition } from "../command.ts";
import { writeOptions } from "../writing/options.ts";

export const setCommand: CommandDefinition = {
  describe: "Set the first value of a variable in the ESC environment",
  details: [
    "The value comes from a prompt that does not show it, or from the standard input, where it may have several lines (one " +
      "line break at its end is dropped): never from the command line. It must have the format that the contract declares. " +
      "It becomes fn::secret if the contract declares it secret, or does not declare it and its name looks like a secret " +
      "(as for import), else plain text. The rest of the definition stays as it is, and what was written is read back.",
    "At a terminal it asks before it writes. What ESC has already with another value stays, unless --overwrite is given; " +
      "sophia-run rotate replaces a value where ESC defines it.",
    "The token is ESC_ADMIN_TOKEN, or is asked for at a terminal; it has to be allowed to open and to write the " +
      "environment. --dry-run is content with the launcher's own. Under a coding agent nothing is asked: both come from " +
      "outside.",
  ],
  positional: {
    form: "NAME",
    least: 1,
    most: 1,
    kind: "variable",
    excess: "the value comes from a prompt, or from the standard input: sophia-run set NAME < FILE",
  },
  options: writeOptions("a value"),
  statuses: {
    0: "ESC has the value",
    1: "ESC has another value, which stays, or you said no",
    3: "the change waits for an approval",
  },
  examples: [
    "sophia-run set QDRANT_API_KEY",
    "sophia-run set TLS_KEY < key.pem",
    "pass show qdrant | sophia-run set QDRANT_API_KEY --in acme/app/prod",
  ],
  load: async () => (await import("./set.ts")).setVariable,
};

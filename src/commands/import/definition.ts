import type { CommandDefinition } from "../command.ts";
import { writeOptions } from "../writing/options.ts";

export const importCommand: CommandDefinition = {
  describe: "Bring the variables of a .env file into the ESC environment",
  details: [
    "Writes one revision: what the contract declares secret, and what is not declared and looks like a secret, as " +
      "fn::secret, the rest as plain text. Shows names and never a value, asks before it writes, and reads back what it " +
      "wrote. ESC_*, SOPHIA_* and PULUMI_BACKEND_URL stay out. What ESC has already with another value stays, too, " +
      "unless --overwrite is given. At a terminal it then offers to remove from the file what ESC now has.",
    "A name looks like a secret if a part of it is AUTH, CREDENTIAL, CREDENTIALS, DSN, KEY, PASS, PASSPHRASE, PASSWD, " +
      "PASSWORD, PRIVATE, PWD, SECRET, TOKEN or one of these with an S; so does a URL with a user name or password in it.",
    "The token is ESC_ADMIN_TOKEN, or is asked for at a terminal; it has to be allowed to open and to write the " +
      "environment. --dry-run is content with the launcher's own.",
  ],
  positional: { form: "FILE", least: 1, most: 1, kind: "file" },
  options: writeOptions("values"),
  statuses: {
    0: "ESC has what the file has",
    1: "a variable was left out because ESC has it with another value, or you said no",
    3: "the change waits for an approval",
  },
  examples: [
    "sophia-run import .env --dry-run",
    "sophia-run import .env",
    "sophia-run import prod.env --in acme/app/prod --yes",
  ],
  load: async () => (await import("./import.ts")).importFile,
};

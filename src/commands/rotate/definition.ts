import type { CommandDefinition } from "../command.ts";
import { CONFIRMATION } from "../writing/options.ts";

export const rotateCommand: CommandDefinition = {
  describe: "Set a new value of a secret in ESC, or make a new ESC_TOKEN",
  details: [
    "The value comes from the standard input (one line break at its end is dropped), from a prompt that does not show " +
      "it, or from --generate: never from the command line. It has to have the format that the contract declares. The " +
      "rest of the definition stays as it is, changes that others make meanwhile included, and what was written is read " +
      "back. A value that ESC rotates itself (fn::rotate) is rotated by ESC.",
    "Of several environments of ESC_ENV the one whose value wins is changed. A value that comes from an import is " +
      "changed there only with --in.",
    "The token is ESC_ADMIN_TOKEN, or is asked for at a terminal; it has to be allowed to open and to write the " +
      "environment.",
    "--token makes a new token for the launcher itself, which may only open environments. It verifies that the token " +
      "opens ESC_ENV, stores it as the repository secret ESC_TOKEN for Actions and for Codespaces by the GitHub CLI " +
      "(gh), and only then deletes the old one. Whatever fails, the old one works on. ESC_ADMIN_TOKEN has to be allowed " +
      "to make tokens. The new token stands in no file, argument or message.",
  ],
  positional: { form: "NAME", least: 0, most: 1, kind: "variable" },
  options: {
    in: { type: "string", value: "ENV", describe: "The environment to change, in place of those of ESC_ENV" },
    generate: { type: "boolean", describe: "Make up a random value of the declared format" },
    to: {
      type: "string",
      value: "REVISION",
      describe: "Restore the value that NAME had in this revision or tag, also where it was removed since",
    },
    token: { type: "boolean", describe: "Make a new token for the launcher, in place of ESC_TOKEN" },
    kind: {
      type: "string",
      value: "KIND",
      choices: ["organization", "team", "personal"],
      describe: "With --token: what kind of token; by default that of the old one",
    },
    team: { type: "string", value: "TEAM", describe: "With --token: the team whose token it is" },
    expires: { type: "string", value: "DAYS", describe: "With --token: when it ends; 90d by default" },
    ...CONFIRMATION,
  },
  statuses: { 0: "the value is replaced", 1: "you said no", 3: "the change waits for an approval" },
  examples: [
    "sophia-run rotate QDRANT_API_KEY",
    "sophia-run rotate SESSION_KEY --generate --yes",
    "sophia-run rotate QDRANT_API_KEY --to 7",
    "sophia-run rotate --token --expires 30d",
  ],
  load: async () => (await import("./either.ts")).rotateEither,
};

/** The texts of `sophia-run rotate` for help and completion, and the choice between its two forms: `NAME` and `--token`. */
import type { CommandDefinition, Command } from "../command.ts";
import { usageError } from "../parts/usage-errors.ts";
import { CONFIRMATION_OPTIONS, FOUND_ENVIRONMENT_HELP, WRITE_TOKEN_HELP } from "../parts/writing/write-options.ts";

const TOKEN_OPTIONS = ["kind", "team", "expires"] as const;
const NAME_OPTIONS = ["in", "generate", "to"] as const;
const HELP_HINT = "sophia-run rotate --help shows both forms";

/** Checks that the options fit the form, and loads only the code of that form. @throws SophiaError (usage, 125) */
const rotateNameOrToken: Command = async (args, context) => {
  const { options, positionals } = args;
  const isToken = options["token"] === true;
  const wrongOption = (isToken ? NAME_OPTIONS : TOKEN_OPTIONS).find((name) => options[name] !== undefined);
  if (wrongOption !== undefined) {
    throw usageError(`--${wrongOption} is only for rotate ${isToken ? "NAME" : "--token"}`, HELP_HINT);
  }
  if (isToken && positionals.length > 0) throw usageError("rotate takes NAME or --token, not both", HELP_HINT);
  if (!isToken && positionals.length === 0) throw usageError("rotate needs NAME, or --token", HELP_HINT);
  return isToken
    ? (await import("./token/rotate-token.ts")).rotateToken(args, context)
    : (await import("./rotate.ts")).rotate(args, context);
};

export const rotateCommand: CommandDefinition = {
  describe: "Set a new value of a secret in ESC, or create a new ESC_TOKEN",
  details: [
    "Reads the value from the standard input (one line break at the end is dropped) or from a prompt that does not show " +
      "it, or generates it with --generate. The value must have the format that the contract declares. The rest of the " +
      "definition does not change, and changes by other users are kept. The written value is read back. Values of " +
      "fn::rotate cannot be set here: ESC itself rotates them.",
    "If ESC_ENV names several environments, the last one with the variable is changed. To change a variable of an " +
      "imported environment, name that environment with --in.",
    WRITE_TOKEN_HELP,
    FOUND_ENVIRONMENT_HELP,
    "--token creates a new token for the launcher itself, which may only open environments. The command checks that the " +
      "token opens ESC_ENV and stores it as the repository secret ESC_TOKEN for Actions and Codespaces, with the GitHub " +
      "CLI (gh). Only then does it delete the old token: if anything fails, the old one still works. ESC_ADMIN_TOKEN must be " +
      "allowed to create tokens. The new token appears in no file, argument or message.",
  ],
  positional: { form: "NAME", minCount: 0, maxCount: 1, kind: "variable" },
  options: {
    in: { type: "string", value: "ENV", describe: "The environment to change (default: ESC_ENV)" },
    generate: { type: "boolean", describe: "Generate a random value of the declared format" },
    to: {
      type: "string",
      value: "REVISION",
      describe: "Restore the value that NAME had in this revision or tag, even if NAME was removed",
    },
    token: { type: "boolean", describe: "Create a new token for the launcher, in place of ESC_TOKEN" },
    kind: {
      type: "string",
      value: "KIND",
      choices: ["organization", "team", "personal"],
      describe: "With --token: the kind of token (default: that of the old one)",
    },
    team: { type: "string", value: "TEAM", describe: "With --token: the team that owns the token" },
    expires: { type: "string", value: "DAYS", describe: "With --token: its lifetime in days (default: 90d)" },
    ...CONFIRMATION_OPTIONS,
  },
  statuses: { 0: "the value is replaced", 1: "you declined", 3: "the change waits for an approval" },
  examples: [
    "sophia-run rotate QDRANT_API_KEY",
    "sophia-run rotate SESSION_KEY --generate --yes",
    "sophia-run rotate QDRANT_API_KEY --to 7",
    "sophia-run rotate --token --expires 30d",
  ],
  load: () => Promise.resolve(rotateNameOrToken),
};

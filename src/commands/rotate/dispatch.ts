import type { Command } from "../command.ts";
import { usageError } from "../mistakes.ts";

const TOKEN_OPTIONS = ["kind", "team", "expires"] as const;
const NAME_OPTIONS = ["in", "generate", "to"] as const;
const HELP = "sophia-run rotate --help shows both forms";

export const rotateNameOrToken: Command = async (args, context) => {
  const { options, positionals } = args;
  const isToken = options["token"] === true;
  const wrong = (isToken ? NAME_OPTIONS : TOKEN_OPTIONS).find((name) => options[name] !== undefined);
  if (wrong !== undefined) {
    throw usageError(`--${wrong} is only for rotate ${isToken ? "NAME" : "--token"}`, HELP);
  }
  if (isToken && positionals.length > 0) throw usageError("rotate takes NAME or --token, not both", HELP);
  if (!isToken && positionals.length === 0) throw usageError("rotate needs NAME, or --token", HELP);
  return isToken
    ? (await import("./token/token.ts")).rotateToken(args, context)
    : (await import("./rotate.ts")).rotate(args, context);
};

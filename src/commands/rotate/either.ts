import type { Command } from "../command.ts";
import { usageError } from "../mistakes.ts";

const OF_TOKEN = ["kind", "team", "expires"] as const;
const OF_NAME = ["in", "generate", "to"] as const;
const HELP = "sophia-run rotate --help shows what is possible";

/** `sophia-run rotate NAME` or `sophia-run rotate --token`. */
export const rotateEither: Command = async (args, context) => {
  const { options, positionals } = args;
  const isToken = options["token"] === true;
  const wrong = (isToken ? OF_NAME : OF_TOKEN).find((name) => options[name] !== undefined);
  if (wrong !== undefined) {
    throw usageError(`--${wrong} is ${isToken ? "for rotate NAME, not for --token" : "for rotate --token"}`, HELP);
  }
  if (isToken && positionals.length > 0) throw usageError("rotate takes NAME or --token, not both", HELP);
  if (!isToken && positionals.length === 0) throw usageError("rotate needs NAME, or --token", HELP);
  return isToken
    ? (await import("./token/token.ts")).rotateToken(args, context)
    : (await import("./rotate.ts")).rotate(args, context);
};

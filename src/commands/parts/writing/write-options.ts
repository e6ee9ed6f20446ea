/** The options and texts that commands which write to Pulumi ESC share, such as `set` and `import`. */
import type { Option } from "../../../command-line/options.ts";

/** The paragraph of the help about an environment that a file found by search names. write-access.ts explains the reason. */
export const FOUND_ENVIRONMENT_HELP =
  "An environment that only a .env found by search names (ESC_ENV, ESC_ORG) is changed only after a yes at a terminal, to a " +
  "question that names it and the file. Otherwise, and with --yes, name it by --in or set ESC_ENV in the environment.";

/** The sentence of the help about the token of a command that writes. */
export const WRITE_TOKEN_HELP =
  "The token is ESC_ADMIN_TOKEN, or is asked for at a terminal; it must be allowed to open and write the environment.";

/** The options of every command that asks for a confirmation. */
export const CONFIRMATION_OPTIONS: Readonly<Record<string, Option>> = {
  yes: { type: "boolean", short: "y", describe: "Write without asking" },
  "dry-run": { type: "boolean", describe: "Show the change without writing it" },
};

/** Returns the options of a command that writes values. @param object what the command replaces, for the help of `--overwrite` */
export function createWriteOptions(object: "a value" | "values"): Readonly<Record<string, Option>> {
  return {
    in: { type: "string", value: "ENV", describe: "The environment to write (default: ESC_ENV)" },
    overwrite: { type: "boolean", describe: `Replace ${object} that ESC already has` },
    ...CONFIRMATION_OPTIONS,
  };
}

/**
 * Returns the message and the hint for a user who wrote a value on the command line of `set`.
 *
 * @param name the name of the variable; `NAME` if the arguments do not show which of them is the name, since a value must not be
 *   printed
 */
export function describeValueOnCommandLine(name: string): readonly [message: string, hint: string] {
  return [
    "set takes no value on the command line, where shells and ps(1) expose it",
    `sophia-run set ${name} asks for it; sophia-run set ${name} < FILE reads it`,
  ];
}

/** The options and sentences of help that the commands share which write to ESC. */
import type { Option } from "../../../command-line/options.ts";

/** The paragraph of help about an environment that a found file names; write-access.ts has the reason. */
export const FOUND_ENVIRONMENT =
  "An environment that only a .env found by search names (ESC_ENV, ESC_ORG) is changed only after a yes at a terminal, to a " +
  "question that names it and the file. Otherwise, and with --yes, name it by --in or set ESC_ENV in the environment.";

export const CONFIRMATION: Readonly<Record<string, Option>> = {
  yes: { type: "boolean", short: "y", describe: "Write without asking" },
  "dry-run": { type: "boolean", describe: "Show the change without writing it" },
};

/** Returns the options of a command that writes values. @param values the object in the help of `--overwrite` */
export function writeOptions(values: "a value" | "values"): Readonly<Record<string, Option>> {
  return {
    in: { type: "string", value: "ENV", describe: "The environment to write (default: ESC_ENV)" },
    overwrite: { type: "boolean", describe: `Replace ${values} that ESC already has` },
    ...CONFIRMATION,
  };
}

/**
 * Returns message and hint for a user who typed a value among the arguments of `set`.
 *
 * @param name the variable; `NAME` if the words do not show which one is meant, since a value must not be printed
 */
export function valueOnLine(name: string): readonly [message: string, hint: string] {
  return [
    "set takes no value on the command line, where shells and ps(1) expose it",
    `sophia-run set ${name} asks for it; sophia-run set ${name} < FILE reads it`,
  ];
}

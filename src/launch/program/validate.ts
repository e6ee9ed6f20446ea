import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { LaunchRequest } from "../types.ts";

/** Rejects strings that no program can get; Node's own errors would show the value. @throws SophiaError (unusable-value, 125) */
export function validate({ command, environment, files }: LaunchRequest): void {
  // for…of would make three objects for each of thousands of variables.
  environment.forEach((value, name) => {
    checkName(name);
    if (value.includes("\0")) {
      throw unusable(`the value of ${printable(name)} contains a NUL character`, "change the value in its source");
    }
  });
  for (const { name } of files) checkName(name);
  const index = command.findIndex((argument) => argument.includes("\0"));
  if (index !== -1) throw unusable(`argument ${index} contains a NUL character`, "change the argument");
}

function checkName(name: string): void {
  if (name !== "" && !name.includes("=") && !name.includes("\0")) return;
  throw unusable(
    name === "" ? "an environment variable has no name" : `${printable(name)} is not a valid variable name`,
    "rename it in its source: a name has at least one character, no = and no NUL",
  );
}

function unusable(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "unusable-value", message, hint });
}

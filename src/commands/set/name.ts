import { isDeclared } from "../../contract/check.ts";
import type { Contract } from "../../contract/model.ts";
import { isOwnName } from "../writing/candidates.ts";
import { usageError } from "../mistakes.ts";

const NAME = /^[A-Za-z_]\w*$/;

/** @throws SophiaError (usage, 125) for anything else; it does not show it, since it may be a value */
export function requireName(name: string, contract: Contract): void {
  const [before = "", ...after] = name.split("=");
  if (after.length > 0) {
    throw usageError(
      "a value on the command line is not taken: shells and ps(1) keep it",
      `sophia-run set ${NAME.test(before) ? before : "NAME"} asks for it, or reads it from the standard input`,
    );
  }
  if (!isDeclared(contract, name) && !NAME.test(name)) {
    throw usageError("what follows set is not the name of a variable", "letters, digits and _ make a name");
  }
  if (isOwnName(name)) {
    throw usageError(`${name} is a setting of sophia-run, which ESC does not give`, "set it in the environment");
  }
}

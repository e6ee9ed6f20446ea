import { isDeclared, isSet } from "../contract/check.ts";
import type { Assessment } from "./assessment.ts";
import { type Withholding, withholding } from "./select.ts";

/** Says why the program does not get a variable that a source has, in words that follow `is`. */
export function withheldWords({
  contract,
  resolution,
  selected,
  selection,
}: Pick<Assessment, "contract" | "resolution" | "selected" | "selection">): (name: string) => string | undefined {
  const reason = withholding(selection, (name) => isDeclared(contract, name));
  return (name) => {
    const found = isSet(selected, name) ? undefined : resolution.get(name);
    if (found === undefined) return undefined;
    for (const origin of [found.origin, ...(found.shadowed ?? []).map((one) => one.origin)]) {
      const why = reason({ name, origin });
      if (why !== undefined) return `withheld ${withholdingWords(why)}`;
    }
    return undefined;
  };
}

/** Says why a variable is withheld, in words that follow `withheld`. */
export function withholdingWords(why: Withholding): string {
  switch (why) {
    case "launcher":
      return "without --keep-esc";
    case "writer":
      return "always, since it may write to ESC";
    case "reserved":
      return "since a file does not decide how sophia-run works";
    case "runs-code":
      return "without --allow, since it makes other programs run code";
    case "redirects-key":
      return "without --allow, since it sends a key of another source elsewhere";
    case "esc-refused":
      return "while ESC refuses access";
    case "not-in-scope":
      return "by --scope";
    case "excluded":
      return "by --exclude";
    case "not-included":
      return "by --include";
    case "not-declared":
      return "by --only-declared or --pristine";
    case "not-baseline":
      return "by --pristine";
  }
}

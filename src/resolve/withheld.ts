import { isDeclared, isSet } from "../contract/check.ts";
import { printable } from "../core/text.ts";
import type { Origin } from "../core/model.ts";
import type { Assessment } from "./assessment.ts";
import { type Withholding, withholding } from "./select.ts";

/** Says of a variable that a source has and the program does not get why that is so; words that follow `is`. */
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
      if (why !== undefined) return words(why, origin);
    }
    return undefined;
  };
}

function words(why: Withholding, origin: Origin): string {
  switch (why) {
    case "launcher":
      return "withheld without --keep-esc";
    case "writer":
      return "always withheld: it writes";
    case "esc-refused":
      return `in ${origin.source === "dotenv" ? printable(origin.file) : ".env"}, which does not serve now`;
    case "reserved":
    case "runs-code":
    case "redirects-key":
      return "set by a file that may not decide it";
    case "not-in-scope":
      return "withheld by --scope";
    case "excluded":
      return "withheld by --exclude";
    case "not-included":
      return "withheld by --include";
    case "not-declared":
      return "withheld by --only-declared";
    case "not-baseline":
      return "withheld by --pristine";
  }
}

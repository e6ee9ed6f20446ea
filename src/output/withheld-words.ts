/**
 * Describes why the program does not get a variable that a source sets, such as because of `--exclude`. `check` and `explain` show the
 * descriptions, and so does the message of an unmet contract.
 */
import { isDeclared, isSet } from "../contract/check-contract.ts";
import type { Start } from "../resolve/start.ts";
import { type WithholdingReason, createWithholdingRule } from "../resolve/select.ts";

/**
 * Returns a function that describes why the program does not get a variable that a source sets: `withheld by --exclude`. These words
 * follow `is`. The function returns undefined for a variable that the program gets, or that no source sets.
 */
export function createWithholdingDescriber({
  files,
  values,
}: Pick<Start, "files" | "values">): (name: string) => string | undefined {
  const { resolution, selected, selection } = values;
  const reasonFor = createWithholdingRule(selection, (name) => isDeclared(files.contract, name));
  return (name) => {
    const variable = isSet(selected, name) ? undefined : resolution.get(name);
    if (variable === undefined) return undefined;
    const lowerOrigins = (variable.shadowed ?? []).map((layer) => layer.origin);
    for (const origin of [variable.origin, ...lowerOrigins]) {
      const reason = reasonFor({ name, origin });
      if (reason !== undefined) return `withheld ${WITHHOLDING_DESCRIPTIONS[reason]}`;
    }
    return undefined;
  };
}

/** Describes each reason in words that follow `withheld`. */
export const WITHHOLDING_DESCRIPTIONS: Readonly<Record<WithholdingReason, string>> = {
  launcher: "without --keep-esc",
  pointer: "since sophia-run has read the file that it names",
  writer: "always, since it may write to ESC",
  reserved: "since programs get sophia-run's settings from the environment alone",
  "runs-code": "without --allow, since it makes other programs run code",
  network: "without --allow, since it decides how programs connect and whom they trust",
  "redirects-key": "without --allow, since it sends a key of another source elsewhere",
  "callers-own": "without --allow, since a file that was found does not override it",
  "esc-refused": "while ESC refuses access",
  "not-in-scope": "by --scope",
  excluded: "by --exclude",
  "not-included": "by --include",
  "not-declared": "by --only-declared or --pristine",
  "not-baseline": "by --pristine",
};

/** Warnings before a start with --broker. */
import { displacedKeys } from "../../../broker/broker-variables.ts";
import type { Context } from "../../../core/context.ts";
import { grouped } from "../../../core/grouped.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { shellWord } from "../../../core/shell.ts";
import { printable } from "../../../core/text.ts";
import { printLines } from "../../../output/stderr.ts";
import type { Start } from "../../../resolve/start.ts";
import { type BrokeredKey, type BrokerPlan, createNameMatcher } from "../../parts/broker/brokered-keys.ts";
import { findKeyCopies } from "../../parts/broker/broker-report.ts";

/** @param isYet a key may appear in ESC while the program runs */
export function warnOfNothing({ files: { contract } }: Start, isYet: boolean, context: Context): void {
  const reason =
    contract.variables.size === 0
      ? "the contract declares no variable"
      : "no key is set that the contract declares and sophia-run can broker";
  printLines(context, [`warning: --broker has no effect${isYet ? " yet" : ""}: ${reason}`]);
}

/** Warns of names of `--broker-except` that are not set: the option has no effect on them. */
export function warnOfUnset(
  names: readonly string[],
  { excepted, outer }: Pick<BrokerPlan, "excepted" | "outer">,
  { files: { contract } }: Pick<Start, "files">,
  context: Context,
): void {
  const aliasesOf = (key: string): readonly string[] =>
    (contract.variables.get(key)?.aliases ?? []).map((alias) => alias.name);
  const used = excepted.flatMap(({ name, key }) => [name, key, ...aliasesOf(key)]);
  const isUsed = createNameMatcher([...used, ...outer], context.environment);
  const unset = names.filter((name) => !isUsed(name));
  if (unset.length === 0) return;
  printLines(context, [`warning: --broker-except has no effect on ${enumerateFew(unset.map(printable), 5)}: not set`]);
}

/** Warns of other variables with the value of a brokered key: the program would hold it. */
export function warnOfCopies(keys: readonly BrokeredKey[], { values: { selected } }: Start, context: Context): void {
  for (const key of keys) {
    const names = findKeyCopies(key, keys, selected);
    if (names.length === 0) continue;
    printLines(context, [
      `warning: the program still gets the value of ${printable(key.route.name)}: ${enumerateFew(names, 5)} ${names.length === 1 ? "contains" : "contain"} it`,
      `leave ${names.length === 1 ? "it" : "them"} out with --exclude ${names.slice(0, 5).join(",")}`,
    ]);
  }
}

/** Warns of keys whose requests the broker refuses, since one variable cannot have two paths. */
export function warnOfDisplaced(keys: readonly BrokeredKey[], context: Context): void {
  const displaced = grouped(displacedKeys(keys), ({ name }) => name);
  for (const [name, [first]] of displaced) {
    if (first === undefined) continue;
    const key = printable(name);
    const variable = printable(first.variable);
    printLines(context, [
      `warning: --broker refuses requests with ${key}: ${variable} has the path for ${printable(first.preferred)}, which is a different one`,
      `leave out the key that the program does not use, as in --exclude ${shellWord(name)}`,
    ]);
  }
}

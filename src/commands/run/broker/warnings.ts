/**
 * Prints the warnings of a start with `--broker`: options that have no effect, keys that the program gets in spite of the broker,
 * and keys whose requests the broker will refuse.
 */
import { findDisplacedKeys } from "../../../broker/broker-variables.ts";
import type { Context } from "../../../core/context.ts";
import { groupBy } from "../../../core/group-by.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { shellWord } from "../../../core/shell.ts";
import { printable } from "../../../core/text.ts";
import { printLines } from "../../../output/stderr.ts";
import type { Start } from "../../../resolve/start.ts";
import { type BrokeredKey, type BrokerPlan, createNameMatcher } from "../../parts/broker/brokered-keys.ts";
import { findKeyCopies } from "../../parts/broker/broker-report.ts";

/** The limit on the names in one warning. */
const MAX_NAMES = 5;

/** Warns that there is no key to broker. @param mayKeysAppear true if ESC may add a key while the program runs (`--watch`) */
export function warnOfMissingKeys({ files: { contract } }: Start, mayKeysAppear: boolean, context: Context): void {
  const reason =
    contract.variables.size === 0
      ? "the contract declares no variable"
      : "no key is set that the contract declares and sophia-run can broker";
  printLines(context, [`warning: --broker has no effect${mayKeysAppear ? " yet" : ""}: ${reason}`]);
}

/** Warns of names in `--broker-except` that are not set, so that the option has no effect on them. */
export function warnOfUnsetExceptions(
  exceptions: readonly string[],
  { exceptedKeys, outerKeyNames }: Pick<BrokerPlan, "exceptedKeys" | "outerKeyNames">,
  { files: { contract } }: Pick<Start, "files">,
  context: Context,
): void {
  const aliasesOf = (key: string): readonly string[] =>
    (contract.variables.get(key)?.aliases ?? []).map((alias) => alias.name);
  const exceptedNames = exceptedKeys.flatMap(({ name, key }) => [name, key, ...aliasesOf(key)]);
  const isSet = createNameMatcher([...exceptedNames, ...outerKeyNames], context.environment);
  const unset = exceptions.filter((name) => !isSet(name));
  if (unset.length === 0) return;
  printLines(context, [
    `warning: --broker-except has no effect on ${enumerateFew(unset.map(printable), MAX_NAMES)}: not set`,
  ]);
}

/** Warns of other variables that contain a brokered key: through them, the program gets the key. */
export function warnOfCopies(keys: readonly BrokeredKey[], { values: { selected } }: Start, context: Context): void {
  for (const key of keys) {
    const names = findKeyCopies(key, keys, selected);
    if (names.length === 0) continue;
    const [contain, them] = names.length === 1 ? ["contains", "it"] : ["contain", "them"];
    printLines(context, [
      `warning: the program still gets the value of ${printable(key.route.name)}: ${enumerateFew(names, MAX_NAMES)} ${contain} it`,
      `leave ${them} out with --exclude ${names.slice(0, MAX_NAMES).join(",")}`,
    ]);
  }
}

/**
 * Warns of keys whose requests the broker will refuse. Two keys may belong to services that share an address variable, such as
 * `OPENAI_BASE_URL`; the variable can have the broker's path for only one of them.
 */
export function warnOfDisplaced(keys: readonly BrokeredKey[], context: Context): void {
  const displacedByName = groupBy(findDisplacedKeys(keys), ({ name }) => name);
  for (const [name, [displaced]] of displacedByName) {
    if (displaced === undefined) continue;
    const key = printable(name);
    const variable = printable(displaced.variable);
    printLines(context, [
      `warning: --broker refuses requests with ${key}: ${variable} has the path for ${printable(displaced.preferred)}, which is a different one`,
      `leave out the key that the program does not use, as in --exclude ${shellWord(name)}`,
    ]);
  }
}

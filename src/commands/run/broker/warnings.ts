/** Warnings before a start with --broker: keys that the program gets anyway. */
import { providerOf } from "../../../contract/broker/providers.ts";
import type { Context } from "../../../core/context.ts";
import { enumerateFew } from "../../../core/lines.ts";
import { printable } from "../../../core/text.ts";
import { printLines } from "../../../output/stderr.ts";
import type { Assessment } from "../../../resolve/assessment.ts";
import type { BrokeredKey, BrokerPlan } from "../../broker/keys.ts";
import { copiesOf, type NotBrokered, notBrokered } from "../../broker/report.ts";

export function warnOfNothing({ contract }: Assessment, context: Context): void {
  const reason =
    contract.variables.size === 0
      ? "the contract declares no variable"
      : "no key is set that the contract declares and sophia-run can broker";
  printLines(context, [`warning: --broker has no effect: ${reason}`]);
}

/** Warns of keys of known services that the program gets: a repository may leave them out of its contract for that. */
export function warnOfBare(
  plan: BrokerPlan,
  assessment: Assessment,
  { isContractNamed, quiet }: { readonly isContractNamed: boolean; readonly quiet: boolean },
  context: Context,
): void {
  const others = notBrokered(plan, assessment, context.environment).filter(
    ({ name }) => providerOf(name) !== undefined,
  );
  const print = (reason: NotBrokered, head: string, why: string): void => {
    const names = others.flatMap((one) => (one.why === reason ? [one.name] : []));
    if (names.length === 0) return;
    printLines(context, [
      `${head}the program gets the value of ${enumerateFew(names, 5)}: ${why}`,
      `leave ${names.length === 1 ? "it" : "them"} out with --exclude ${names.slice(0, 5).join(",")}`,
    ]);
  };
  print("undeclared", "warning: ", "not declared by the contract, and so not brokered");
  if (!isContractNamed && !quiet) print("contract", "", "the contract says so, and the user did not name it");
}

/** Warns of other variables with the value of a brokered key: the program would hold it. */
export function warnOfCopies(keys: readonly BrokeredKey[], { selected }: Assessment, context: Context): void {
  for (const key of keys) {
    const names = copiesOf(key, keys, selected);
    if (names.length === 0) continue;
    printLines(context, [
      `warning: the program still gets the value of ${printable(key.route.name)}: ${enumerateFew(names, 5)} ${names.length === 1 ? "contains" : "contain"} it`,
      `leave ${names.length === 1 ? "it" : "them"} out with --exclude ${names.slice(0, 5).join(",")}`,
    ]);
  }
}

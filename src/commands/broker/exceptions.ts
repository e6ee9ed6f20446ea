/** The names of `--broker-except`, checked; pure. */
import { brokerEntryOf } from "../../contract/broker/entry.ts";
import { PROVIDERS, providerOf } from "../../contract/broker/providers.ts";
import { SophiaError } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import { nameFinder } from "../../core/suggest.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import { nameMatcher } from "./keys.ts";

/**
 * Refuses names that are no key of the broker: the program gets such variables anyway, and a misspelled one would have no
 * effect. The variable may have names of other projects.
 *
 * @param names of the option
 * @throws SophiaError (settings, 125)
 */
export function refuseUnknownExceptions(
  names: readonly string[],
  { contract }: Pick<Assessment, "contract">,
  environment: Pick<Environment, "foldsCase">,
): void {
  if (names.length === 0) return;
  const declared = Array.from(contract.variables.values()).flatMap((one) => {
    const aliases = one.aliases.map((alias) => alias.name);
    const isKey = [one.name, ...aliases].some((name) => providerOf(name) !== undefined);
    return isKey || brokerEntryOf(one) !== undefined ? [one.name, ...aliases] : [];
  });
  const known = [...Object.keys(PROVIDERS), ...declared];
  const isKnown = nameMatcher(known, environment);
  const unknown = names.filter((name) => !isKnown(name));
  if (unknown.length === 0) return;
  const find = nameFinder(known);
  const meant = unknown.flatMap((name) => find(name) ?? []);
  throw new SophiaError({
    code: "settings",
    message: `--broker-except: the broker has no key ${enumerate(unknown.map(printable), "or")}`,
    hint:
      meant.length > 0
        ? `did you mean ${enumerate(meant.map(printable))}?`
        : "leave it out; sophia-run check --broker shows the keys",
  });
}

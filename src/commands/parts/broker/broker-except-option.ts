/** Checks the names of `--broker-except NAME,…`, the keys that the program may get in plain text; pure. */
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { brokerEntryOf } from "../../../contract/broker/entry.ts";
import { PROVIDERS, providerOf } from "../../../contract/broker/providers.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Environment } from "../../../core/model.ts";
import { nameFinder } from "../../../core/suggest.ts";
import { enumerate, printable } from "../../../core/text.ts";
import type { Start } from "../../../resolve/start.ts";
import { createNameMatcher } from "./brokered-keys.ts";

/**
 * Returns the names of the option; none if the variable `SOPHIA_BROKER_EXCEPT` has set them, because the variable may
 * contain names for other projects.
 *
 * @throws SophiaError (settings, 125) for a name that is not a key of the broker. Such an exception has no effect: the name is
 *   misspelled, or the program gets the variable anyway.
 */
export function checkBrokerExcept(
  { brokerExcept: names }: Pick<Settings, "brokerExcept">,
  flags: Values,
  { files: { contract } }: Pick<Start, "files">,
  environment: Pick<Environment, "foldsCase">,
): readonly string[] {
  if (flags["broker-except"] === undefined) return [];
  const keyNames = [...Object.keys(PROVIDERS), ...findDeclaredKeys(contract)];
  const isKey = createNameMatcher(keyNames, environment);
  const unknownNames = names.filter((name) => !isKey(name));
  if (unknownNames.length === 0) return names;
  const findSimilarName = nameFinder(keyNames);
  const suggestions = unknownNames.flatMap((name) => findSimilarName(name) ?? []);
  throw new SophiaError({
    code: "settings",
    message: `--broker-except: the broker has no key ${enumerate(unknownNames.map(printable), "or")}`,
    hint:
      suggestions.length > 0
        ? `did you mean ${enumerate(suggestions.map(printable))}?`
        : "leave it out; sophia-run check --broker shows the keys",
  });
}

/** Returns the names and the aliases of the variables that the contract declares and the broker can hold. */
function findDeclaredKeys({ variables }: Contract): readonly string[] {
  return Array.from(variables.values()).flatMap((declaration) => {
    const names = [declaration.name, ...declaration.aliases.map((alias) => alias.name)];
    const isOfKnownService = names.some((name) => providerOf(name) !== undefined);
    return isOfKnownService || brokerEntryOf(declaration) !== undefined ? names : [];
  });
}

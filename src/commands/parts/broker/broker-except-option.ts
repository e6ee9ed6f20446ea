/**
 * Checks the names in `--broker-except NAME,…`. The broker holds the real API keys and gives the program dummies, but the program
 * gets the keys of this option in plain text.
 */
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { compileBrokerEntry } from "../../../contract/broker/entry.ts";
import { PROVIDERS, providerOf } from "../../../contract/broker/providers.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Environment } from "../../../core/model.ts";
import { createNameFinder } from "../../../core/suggest.ts";
import { enumerate, printable } from "../../../core/text.ts";
import type { Start } from "../../../resolve/start.ts";
import { createNameMatcher } from "./brokered-keys.ts";

/**
 * Returns the names in the option. Returns none if the variable `SOPHIA_BROKER_EXCEPT` has set them, because the variable may
 * contain names for other projects.
 *
 * @param flags the options on the command line, without those that variables set
 * @throws SophiaError (settings, 125) for a name that is no key of the broker. Such a name is misspelled, or the program gets the
 *   variable anyway.
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
  const findSimilarName = createNameFinder(keyNames);
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

/** Returns the names and aliases of the declared variables that the broker can hold. */
function findDeclaredKeys({ variables }: Contract): readonly string[] {
  return Array.from(variables.values()).flatMap((declaration) => {
    const names = [declaration.name, ...declaration.aliases.map((alias) => alias.name)];
    const isOfKnownService = names.some((name) => providerOf(name) !== undefined);
    return isOfKnownService || compileBrokerEntry(declaration) !== undefined ? names : [];
  });
}

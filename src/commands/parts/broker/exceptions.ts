/** The names of `--broker-except`, checked; pure. */
import type { Values } from "../../../command-line/options.ts";
import type { Settings } from "../../../command-line/settings.ts";
import { brokerEntryOf } from "../../../contract/broker/entry.ts";
import { PROVIDERS, providerOf } from "../../../contract/broker/providers.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Environment } from "../../../core/model.ts";
import { nameFinder } from "../../../core/suggest.ts";
import { enumerate, printable } from "../../../core/text.ts";
import type { Start } from "../../../resolve/start.ts";
import { nameMatcher } from "./brokered-keys.ts";

/**
 * Returns the names of the option; none if they are those of the variable, which may have names of other projects.
 *
 * @throws SophiaError (settings, 125) for names that are no key of the broker: the program gets such variables anyway, and a
 *   misspelled one would have no effect
 */
export function checkedExceptions(
  { brokerExcept: names }: Pick<Settings, "brokerExcept">,
  flags: Values,
  { files: { contract } }: Pick<Start, "files">,
  environment: Pick<Environment, "foldsCase">,
): readonly string[] {
  if (flags["broker-except"] === undefined) return [];
  const declared = Array.from(contract.variables.values()).flatMap((declaration) => {
    const aliases = declaration.aliases.map((alias) => alias.name);
    const isKey = [declaration.name, ...aliases].some((name) => providerOf(name) !== undefined);
    return isKey || brokerEntryOf(declaration) !== undefined ? [declaration.name, ...aliases] : [];
  });
  const known = [...Object.keys(PROVIDERS), ...declared];
  const isKnown = nameMatcher(known, environment);
  const unknown = names.filter((name) => !isKnown(name));
  if (unknown.length === 0) return names;
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

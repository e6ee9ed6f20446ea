/** What to do about a violation: lines to copy, with the place of the value marked; pure. */
import type { Origin } from "../core/model.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import type { Contract } from "./model.ts";

/**
 * Stands for the value in a line to copy. Quoted, because shells take `<` for a redirection. Where somebody runs the
 * line unchanged, the next check reports the placeholder.
 */
const PLACEHOLDER = "'<value>'";

/**
 * How to set a variable that is missing; of several the preferred one. The lines follow
 * https://www.pulumi.com/docs/iac/cli/commands/pulumi_env_set/ and
 * https://www.pulumi.com/docs/esc/cli/commands/esc_env_set/.
 *
 * @param escEnvironment `org/project/name`, where ESC is configured
 */
export function supplyLines(
  names: readonly string[],
  contract: Contract,
  escEnvironment: string | undefined,
): readonly string[] {
  const name = preferred(names, contract);
  if (name === undefined) return [];
  if (escEnvironment === undefined) return [`in .env, or in the environment: ${name}=${PLACEHOLDER}`];
  const secret = contract.variables.get(name)?.secret ?? true;
  return escLines(name, secret, escEnvironment);
}

/** Of several variables the first that is not deprecated. */
export function preferred(names: readonly string[], { variables }: Contract): string | undefined {
  return names.find((name) => variables.get(name)?.deprecated === undefined) ?? names[0];
}

function escLines(name: string, secret: boolean, environment: string): readonly string[] {
  // Nothing can be written to a revision or tag.
  const target = printable(environment.replace(/@.*$/, ""));
  const flag = secret ? "--secret" : "--plaintext";
  const line = `env set ${shellWord(target)} ${shellWord(propertyPath(name))} ${PLACEHOLDER} ${flag}`;
  return [`esc ${line}`, `pulumi ${line}`];
}

/** A Pulumi property path: a key with a dot or a dash is in brackets. */
function propertyPath(name: string): string {
  return /^\w+$/.test(name) ? `environmentVariables.${name}` : `environmentVariables["${name}"]`;
}

/** How to correct a wrong value at the place that it comes from. */
export function correctLines(
  name: string,
  contract: Contract,
  origin: Origin | undefined,
  escEnvironment: string | undefined,
): readonly string[] {
  const secret = contract.variables.get(name)?.secret ?? true;
  switch (origin?.source) {
    case undefined:
      return supplyLines([name], contract, escEnvironment);
    case "environment":
      return [`correct ${origin.alias ?? name} in the environment, or unset it there`];
    case "esc":
      return escLines(origin.alias ?? name, secret, origin.importedFrom ?? origin.environment);
    case "dotenv":
      return [`correct it in ${printable(origin.file)}, line ${origin.line}`];
    case "contract":
      return [`correct its default in ${printable(origin.file)}`];
    case "fake":
      return [`set ${name}: its dummy value is not accepted`];
  }
}

/** The page that the contract names for the first of the variables that has one. */
export function whereToGet(names: readonly string[], { variables }: Contract): readonly string[] {
  const docs = names.map((name) => variables.get(name)?.docs).find((address) => address !== undefined);
  return docs === undefined ? [] : [`see ${printable(docs)}`];
}

/**
 * Applies a contract to the variables that the sources have: it adds values of aliases under the variables' names, and
 * the defaults, and marks the values that the program gets as files. Each start calls this before it decides which
 * source wins.
 */
import type { Layer, Notice, Origin, Variable } from "../core/model.ts";
import { statSync } from "node:fs";
import { attempt } from "../system/errors.ts";
import { declarationOf } from "./check-contract.ts";
import type { Contract } from "./contract-model.ts";

export interface CompletedLayers {
  /** The layers (the variables of one source each) in the order of precedence. The defaults are the last layer. */
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
}

/**
 * Completes the layers. If a layer has an alias of a variable but not its name, the layer gets the variable with the
 * value of the alias. An empty value is treated as no value. The time is linear in the number of variables.
 */
export function applyContract(contract: Contract, layers: readonly Layer[]): CompletedLayers {
  const { aliases } = contract;
  const completed = aliases.size === 0 ? layers : layers.map((layer) => addAliasedVariables(contract, layer));
  const defaults = createDefaultLayer(contract);
  const allLayers = defaults.variables.length === 0 ? completed : [...completed, defaults];
  const deliversFiles = Array.from(contract.variables.values()).some((declaration) => declaration.as === "file");
  return {
    layers: deliversFiles ? allLayers.map((layer) => markFileDelivery(contract, layer)) : allLayers,
    notices: findDeprecations(contract, layers),
  };
}

/** Adds the variables of which the layer has only an alias. Of several aliases the first one in the layer is used. */
function addAliasedVariables({ aliases }: Contract, layer: Layer): Layer {
  const nonEmpty = layer.variables.filter(({ value }) => value !== "");
  const names = new Set(nonEmpty.map(({ name }) => name));
  const added = new Map<string, Variable>();
  for (const variable of nonEmpty) {
    const name = aliases.get(variable.name);
    if (name === undefined || names.has(name) || added.has(name)) continue;
    added.set(name, { ...variable, name, origin: { ...variable.origin, alias: variable.name } });
  }
  if (added.size === 0) return layer;
  // A layer has each name only once: an added variable replaces the empty value of its name.
  const otherVariables = layer.variables.filter(({ name }) => !added.has(name));
  return { ...layer, variables: [...otherVariables, ...added.values()] };
}

/**
 * Marks the values of a layer that the program gets as files: those with `"as": "file"`, under their name or an alias.
 */
function markFileDelivery(contract: Contract, layer: Layer): Layer {
  const withDelivery = (variable: Variable): Variable =>
    variable.value !== "" && declarationOf(contract, variable.name)?.as === "file" && !isPathOfFile(variable.value)
      ? { ...variable, delivery: "file" }
      : variable;
  return { ...layer, variables: layer.variables.map(withDelivery) };
}

/** In characters. Linux limits a path to 4096 bytes. */
const MAX_PATH_LENGTH = 4096;

/**
 * Returns true for the absolute path of a file that exists. Such a value is already what the program needs: the user,
 * or a sophia-run around this one, has written the file.
 */
function isPathOfFile(value: string): boolean {
  const isAbsolute = /^(?:\/|[A-Za-z]:[\\/])/.test(value);
  if (!isAbsolute || value.includes("\0") || value.length > MAX_PATH_LENGTH) return false;
  // An error, such as a missing permission, means that the value cannot be used as a path.
  return attempt(() => statSync(value, { throwIfNoEntry: false }))?.isFile() === true;
}

/** Returns the defaults of the contract as a layer. */
function createDefaultLayer({ source, variables }: Contract): Layer {
  const origin: Origin = { source: "contract", file: source.kind === "file" ? source.path : "the built-in contract" };
  const defaults = Array.from(variables.values()).flatMap(({ name, default: value, secret }): Variable[] =>
    value === undefined ? [] : [{ name, value, secret, origin, delivery: "value" }],
  );
  return { source: "contract", variables: defaults };
}

/** Returns a notice for each deprecated name that has a value. */
function findDeprecations({ deprecated }: Contract, layers: readonly Layer[]): readonly Notice[] {
  if (deprecated.size === 0) return [];
  const nonEmpty = layers.flatMap(({ variables }) => variables.filter(({ value }) => value !== ""));
  const names = new Set(nonEmpty.map(({ name }) => name));
  return Array.from(deprecated)
    .filter(([name]) => names.has(name))
    .map(([name, use]) => ({ kind: "deprecated", name, use }));
}

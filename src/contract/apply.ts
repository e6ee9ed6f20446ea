/**
 * Completes the variables of all sources by a contract: aliases, defaults, and values that the program gets as files. After
 * this, each declared variable has its value under its name.
 */
import type { Layer, Notice, Origin, Variable } from "../core/model.ts";
import { statSync } from "node:fs";
import { attempt } from "../system/errors.ts";
import { declarationOf } from "./check-contract.ts";
import type { Contract } from "./contract-model.ts";

export interface CompletedLayers {
  /** The layers in their order, which is that of precedence. The defaults are the last one. */
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
}

/**
 * Completes the layers. If a layer has an alias of a variable and not its name, the variable gets the value of the alias.
 * An empty value is the same as none. The time is linear in the number of variables.
 */
export function applyContract(contract: Contract, layers: readonly Layer[]): CompletedLayers {
  const { aliases } = contract;
  const completed = aliases.size === 0 ? layers : layers.map((layer) => withAliasedNames(contract, layer));
  const defaults = defaultLayer(contract);
  const allLayers = defaults.variables.length === 0 ? completed : [...completed, defaults];
  const hasFiles = Array.from(contract.variables.values()).some((declaration) => declaration.as === "file");
  return {
    layers: hasFiles ? allLayers.map((layer) => withFileDelivery(contract, layer)) : allLayers,
    notices: deprecations(contract, layers),
  };
}

/** Adds the variables of which the layer has only an alias. Of several aliases the first one in the layer is used. */
function withAliasedNames({ aliases }: Contract, layer: Layer): Layer {
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

/** Marks the values that the program gets as files, also under the name of an alias. */
function withFileDelivery(contract: Contract, layer: Layer): Layer {
  const withDelivery = (variable: Variable): Variable =>
    variable.value !== "" && declarationOf(contract, variable.name)?.as === "file" && !isPathOfFile(variable.value)
      ? { ...variable, delivery: "file" }
      : variable;
  return { ...layer, variables: layer.variables.map(withDelivery) };
}

/**
 * Returns true for the absolute path of a file that exists. Such a value is already what the program needs: the user may
 * set a path, and so does an outer sophia-run.
 */
function isPathOfFile(value: string): boolean {
  if (!/^(?:\/|[A-Za-z]:[\\/])/.test(value) || value.includes("\0") || value.length > 4096) return false;
  return attempt(() => statSync(value, { throwIfNoEntry: false }))?.isFile() === true;
}

function defaultLayer({ source, variables }: Contract): Layer {
  const origin: Origin = { source: "contract", file: source.kind === "file" ? source.path : "the built-in contract" };
  const defaults = Array.from(variables.values()).flatMap(({ name, default: value, secret }): Variable[] =>
    value === undefined ? [] : [{ name, value, secret, origin, delivery: "value" }],
  );
  return { source: "contract", variables: defaults };
}

/** Returns a notice for each deprecated name that has a value. */
function deprecations({ deprecated }: Contract, layers: readonly Layer[]): readonly Notice[] {
  if (deprecated.size === 0) return [];
  const nonEmpty = layers.flatMap(({ variables }) => variables.filter(({ value }) => value !== ""));
  const names = new Set(nonEmpty.map(({ name }) => name));
  return Array.from(deprecated)
    .filter(([name]) => names.has(name))
    .map(([name, use]) => ({ kind: "deprecated", name, use }));
}

/** What a contract adds to the sources before precedence is settled: aliases and defaults; pure. */
import type { Layer, Notice, Origin, Variable } from "../core/model.ts";
import type { Contract } from "./model.ts";

/** The layers as the contract completes them, and what the user should hear of it. */
export interface Applied {
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
}

/**
 * Completes the layers of all sources.
 *
 * - An alias gives its value to the variable's own name, in the very layer in which it is set and with its origin,
 *   so that precedence between sources holds whichever of the names each of them uses. A layer that has the own
 *   name keeps it. The alias stays: a program that reads it finds it.
 * - Defaults follow as a layer of source `contract`: put it below all sources.
 * - Deprecated names that are set give one notice each, whatever the number of layers.
 *
 * Empty values count as unset. The given layers are handed back as they are where there is nothing to add. Linear
 * in the number of variables.
 *
 * @param layers in any order; it is kept, and the layer of defaults comes last
 */
export function applyContract(contract: Contract, layers: readonly Layer[]): Applied {
  const { aliases } = contract;
  const completed = aliases.size === 0 ? layers : layers.map((layer) => withOwnNames(contract, layer));
  const defaults = defaultLayer(contract);
  return {
    layers: defaults === undefined ? completed : [...completed, defaults],
    notices: deprecations(contract, layers),
  };
}

function withOwnNames({ aliases }: Contract, layer: Layer): Layer {
  const set = new Set<string>();
  let used = false;
  for (const { name, value } of layer.variables) {
    if (value === "") continue;
    set.add(name);
    used ||= aliases.has(name);
  }
  if (!used) return layer;
  const added = new Map<string, Variable>();
  for (const variable of layer.variables) {
    const own = variable.value === "" ? undefined : aliases.get(variable.name);
    // Of several aliases the first in the source counts.
    if (own !== undefined && !set.has(own) && !added.has(own)) {
      added.set(own, { ...variable, name: own, origin: { ...variable.origin, alias: variable.name } });
    }
  }
  if (added.size === 0) return layer;
  // A name stands in a layer once: an empty own name gives way.
  const kept = layer.variables.filter(({ name }) => !added.has(name));
  return { ...layer, variables: [...kept, ...added.values()] };
}

function defaultLayer({ source, defaults, variables }: Contract): Layer | undefined {
  if (defaults.length === 0) return undefined;
  const origin: Origin = { source: "contract", file: source.kind === "file" ? source.path : "the built-in contract" };
  return {
    source: "contract",
    variables: defaults.flatMap((name): Variable[] => {
      const { default: value, secret = true } = variables.get(name) ?? {};
      return value === undefined ? [] : [{ name, value, secret, origin, delivery: "value" }];
    }),
  };
}

function deprecations({ deprecated }: Contract, layers: readonly Layer[]): readonly Notice[] {
  if (deprecated.size === 0) return [];
  const found = new Set<string>();
  for (const { variables } of layers) {
    for (const { name, value } of variables) if (value !== "" && deprecated.has(name)) found.add(name);
  }
  return Array.from(deprecated)
    .filter(([name]) => found.has(name))
    .map(([name, use]) => ({ kind: "deprecated", name, use }));
}

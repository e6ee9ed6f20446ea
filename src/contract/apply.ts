import type { Layer, Notice, Origin, Variable } from "../core/model.ts";
import type { Contract } from "./model.ts";

export interface CompletedLayers {
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
}

/**
 * Completes the layers: an alias gives its value to the variable's own name, unless the layer has that name; defaults
 * follow as a last layer. Empty values are unset. Linear in the number of variables.
 */
export function applyContract(contract: Contract, layers: readonly Layer[]): CompletedLayers {
  const { aliases } = contract;
  const completed = aliases.size === 0 ? layers : layers.map((layer) => withOwnNames(contract, layer));
  const defaults = defaultLayer(contract);
  return {
    layers: defaults.variables.length === 0 ? completed : [...completed, defaults],
    notices: deprecations(contract, layers),
  };
}

function withOwnNames({ aliases }: Contract, layer: Layer): Layer {
  const filled = layer.variables.filter(({ value }) => value !== "");
  const names = new Set(filled.map(({ name }) => name));
  const added = new Map<string, Variable>();
  for (const variable of filled) {
    const own = aliases.get(variable.name);
    if (own === undefined || names.has(own) || added.has(own)) continue;
    added.set(own, { ...variable, name: own, origin: { ...variable.origin, alias: variable.name } });
  }
  if (added.size === 0) return layer;
  // A layer has a name only once: drops the empty value.
  const kept = layer.variables.filter(({ name }) => !added.has(name));
  return { ...layer, variables: [...kept, ...added.values()] };
}

function defaultLayer({ source, variables }: Contract): Layer {
  const origin: Origin = { source: "contract", file: source.kind === "file" ? source.path : "the built-in contract" };
  const defaults = Array.from(variables.values()).flatMap(({ name, default: value, secret }): Variable[] =>
    value === undefined ? [] : [{ name, value, secret, origin, delivery: "value" }],
  );
  return { source: "contract", variables: defaults };
}

function deprecations({ deprecated }: Contract, layers: readonly Layer[]): readonly Notice[] {
  if (deprecated.size === 0) return [];
  const filled = layers.flatMap(({ variables }) => variables.filter(({ value }) => value !== ""));
  const names = new Set(filled.map(({ name }) => name));
  return Array.from(deprecated)
    .filter(([name]) => names.has(name))
    .map(([name, use]) => ({ kind: "deprecated", name, use }));
}

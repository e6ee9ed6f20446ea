/** What a contract adds to the sources before precedence is settled: aliases and defaults; pure. */
import type { Layer, Notice, Variable } from "../model.ts";
import type { Contract, Declaration } from "./model.ts";

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

function defaultLayer({ source, variables }: Contract): Layer | undefined {
  const file = source.kind === "file" ? source.path : "the built-in contract";
  const defaults: Variable[] = [];
  for (const { name, default: value, secret } of variables.values()) {
    if (value === undefined) continue;
    defaults.push({ name, value, secret, origin: { source: "contract", file }, delivery: "value" });
  }
  return defaults.length === 0 ? undefined : { source: "contract", variables: defaults };
}

function deprecations(contract: Contract, layers: readonly Layer[]): readonly Notice[] {
  const replacements = deprecatedNames(contract.variables.values());
  if (replacements.size === 0) return [];
  const found = new Set<string>();
  for (const { variables } of layers) {
    for (const { name, value } of variables) if (value !== "" && replacements.has(name)) found.add(name);
  }
  return Array.from(replacements)
    .filter(([name]) => found.has(name))
    .map(([name, use]) => ({ kind: "deprecated", name, use }));
}

/** Every deprecated name with the one to use instead. */
function deprecatedNames(declarations: Iterable<Declaration>): ReadonlyMap<string, string> {
  const replacements = new Map<string, string>();
  for (const { name, aliases, deprecated } of declarations) {
    if (deprecated !== undefined) replacements.set(name, deprecated);
    for (const alias of aliases) if (alias.deprecated) replacements.set(alias.name, name);
  }
  return replacements;
}

import type { Layer, Notice, Origin, Variable } from "../core/model.ts";
import { statSync } from "node:fs";
import { attempt } from "../system/errors.ts";
import { declarationOf } from "./check-contract.ts";
import type { Contract } from "./contract-model.ts";

export interface CompletedLayers {
  readonly layers: readonly Layer[];
  readonly notices: readonly Notice[];
}

/**
 * Completes the layers: an alias gives its value to the variable's own name, unless the layer has that name; defaults
 * follow as a last layer, and values that the program gets as files are marked. Empty values are unset. Linear in the number of
 * variables.
 */
export function applyContract(contract: Contract, layers: readonly Layer[]): CompletedLayers {
  const { aliases } = contract;
  const completed = aliases.size === 0 ? layers : layers.map((layer) => withOwnNames(contract, layer));
  const defaults = defaultLayer(contract);
  const all = defaults.variables.length === 0 ? completed : [...completed, defaults];
  const hasFiles = Array.from(contract.variables.values()).some((declaration) => declaration.as === "file");
  return {
    layers: hasFiles ? all.map((layer) => withFiles(contract, layer)) : all,
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

/** Marks the values that the program gets as files, also under the name of an alias. */
function withFiles(contract: Contract, layer: Layer): Layer {
  const marked = (variable: Variable): Variable =>
    variable.value !== "" && declarationOf(contract, variable.name)?.as === "file" && !isFile(variable.value)
      ? { ...variable, delivery: "file" }
      : variable;
  return { ...layer, variables: layer.variables.map(marked) };
}

/** Returns true for the absolute path of a file. Users set such variables to one, and so does an outer sophia-run. */
function isFile(value: string): boolean {
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

function deprecations({ deprecated }: Contract, layers: readonly Layer[]): readonly Notice[] {
  if (deprecated.size === 0) return [];
  const filled = layers.flatMap(({ variables }) => variables.filter(({ value }) => value !== ""));
  const names = new Set(filled.map(({ name }) => name));
  return Array.from(deprecated)
    .filter(([name]) => names.has(name))
    .map(([name, use]) => ({ kind: "deprecated", name, use }));
}

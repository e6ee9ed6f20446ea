import type { Layer, Resolution, Resolved, SourceId } from "../core/model.ts";

/**
 * Settles which value each variable has: that of the highest layer that sets it.
 *
 * A variable that the contract declares and that is empty counts as unset in every layer: CI systems pass empty
 * strings for secrets that they do not have. Any other empty value is a value (`NO_COLOR=`).
 *
 * @param layers highest precedence first
 */
export function resolve(layers: readonly Layer[], isDeclared: (name: string) => boolean): Resolution {
  const found = new Map<string, Resolved>();
  for (const layer of layers) {
    // Not a loop: V8 would optimize one over thousands, of which this process would not live to see the benefit.
    layer.variables.forEach((variable) => {
      const { name, value, origin } = variable;
      if (value === "" && isDeclared(name)) return;
      const winner = found.get(name);
      if (winner === undefined) found.set(name, variable);
      else {
        const hidden = { origin, same: winner.value === value };
        found.set(name, { ...winner, shadowed: [...(winner.shadowed ?? []), hidden] });
      }
    });
  }
  return found;
}

/** The layers of all sources in their order of precedence, highest first. */
export function inPrecedence(layers: readonly Layer[], prefer: "environment" | "esc"): Layer[] {
  const order: readonly SourceId[] =
    prefer === "esc"
      ? ["esc", "environment", "dotenv", "contract", "fake"]
      : ["environment", "esc", "dotenv", "contract", "fake"];
  // Within one source the order is the source's own; filter keeps it.
  return order.flatMap((source) => layers.filter((layer) => layer.source === source));
}

/** Declared variables for which the environment hides another value of ESC's. */
export function overriddenEsc(resolution: Resolution, isDeclared: (name: string) => boolean): string[] {
  const names: string[] = [];
  for (const { name, origin, shadowed } of resolution.values()) {
    if (shadowed === undefined || origin.source !== "environment" || !isDeclared(name)) continue;
    if (shadowed.some((hidden) => hidden.origin.source === "esc" && !hidden.same)) names.push(name);
  }
  return names.toSorted();
}

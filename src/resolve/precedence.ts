/**
 * Decides which source wins for each variable. The layers of all sources are first sorted by `sortByPrecedence`; `resolveLayers` then
 * gives each variable the value of the highest layer. The code is pure.
 */
import type { Layer, Resolution, ResolvedVariable, SourceId } from "../core/model.ts";

/** All sources, highest precedence first, for each value of `--prefer`. */
export const PRECEDENCE: Readonly<Record<"environment" | "esc", readonly SourceId[]>> = {
  environment: ["environment", "override", "esc", "secrets", "dotenv", "contract", "fake"],
  esc: ["override", "esc", "environment", "secrets", "dotenv", "contract", "fake"],
};

/** The author of the values of a source: the caller, those who configure the program, or the contract. */
type SourceGroup = "caller" | "configuration" | "contract";

/** Options such as `--pristine` and `--only-declared` withhold the variables of one group. */
const SOURCE_GROUPS: Readonly<Record<SourceId, SourceGroup>> = {
  override: "configuration",
  esc: "configuration",
  environment: "caller",
  secrets: "configuration",
  dotenv: "configuration",
  contract: "contract",
  fake: "contract",
};

export function sourceGroupOf(source: SourceId): SourceGroup {
  return SOURCE_GROUPS[source];
}

/**
 * Gives each variable the value of the highest layer that sets it, and notes the layers below that set it as well. An empty value
 * of a declared variable counts as unset, because CI systems pass empty strings for missing secrets.
 *
 * @param layers the highest precedence is first
 */
export function resolveLayers(layers: readonly Layer[], isDeclared: (name: string) => boolean): Resolution {
  const resolution = new Map<string, ResolvedVariable>();
  for (const { variables } of layers) {
    // No variable of the first layer can have a winner yet. Thousands of look-ups are saved.
    const isFirst = resolution.size === 0;
    variables.forEach((variable) => {
      const { name, value, origin } = variable;
      if (value === "" && isDeclared(name)) return;
      const winner = isFirst ? undefined : resolution.get(name);
      if (winner === undefined) {
        resolution.set(name, variable);
      } else {
        const hidden = { origin, same: winner.value === value };
        // A variable that ESC marks as secret remains secret if the environment overrides it.
        const secret = winner.secret || variable.secret;
        resolution.set(name, { ...winner, secret, shadowed: [...(winner.shadowed ?? []), hidden] });
      }
    });
  }
  return resolution;
}

/** Sorts layers by precedence, highest first; the layers of one source keep their order. */
export function sortByPrecedence(layers: readonly Layer[], prefer: "environment" | "esc"): readonly Layer[] {
  return PRECEDENCE[prefer].flatMap((source) => layers.filter((layer) => layer.source === source));
}

/** Returns the names of the declared variables for which the environment overrides a different value of ESC. */
export function findOverriddenNames(resolution: Resolution, isDeclared: (name: string) => boolean): readonly string[] {
  const overridden: string[] = [];
  resolution.forEach(({ name, origin, shadowed }) => {
    if (shadowed === undefined || origin.source !== "environment" || !isDeclared(name)) return;
    if (shadowed.some((hidden) => hidden.origin.source === "esc" && !hidden.same)) overridden.push(name);
  });
  return overridden.toSorted();
}

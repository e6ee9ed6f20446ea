/** The sources: their order, who gives their values, and the value that wins; pure. */
import type { Layer, Resolution, Resolved, SourceId } from "../core/model.ts";

/** All sources, highest precedence first, for each value of `--prefer`. */
export const PRECEDENCE: Readonly<Record<"environment" | "esc", readonly SourceId[]>> = {
  environment: ["environment", "override", "esc", "secrets", "dotenv", "contract", "fake"],
  esc: ["override", "esc", "environment", "secrets", "dotenv", "contract", "fake"],
};

type SourceGroup = "caller" | "configuration" | "contract";

/** The giver of each source's values, by which options withhold them. */
const SOURCE_GROUPS: Readonly<Record<SourceId, SourceGroup>> = {
  override: "configuration",
  esc: "configuration",
  environment: "caller",
  secrets: "configuration",
  dotenv: "configuration",
  contract: "contract",
  fake: "contract",
};

export function sourceGroupOf(id: SourceId): SourceGroup {
  return SOURCE_GROUPS[id];
}

/**
 * Gives each variable the value of the highest layer (the first) that sets it. A declared variable that is empty counts as
 * unset, since CI systems pass empty strings for missing secrets.
 */
export function resolveLayers(layers: readonly Layer[], isDeclared: (name: string) => boolean): Resolution {
  const resolution = new Map<string, Resolved>();
  for (const { variables } of layers) {
    const isFirst = resolution.size === 0;
    variables.forEach((variable) => {
      const { name, value, origin } = variable;
      if (value === "" && isDeclared(name)) return;
      const winner = isFirst ? undefined : resolution.get(name);
      if (winner === undefined) {
        resolution.set(name, variable);
      } else {
        const hidden = { origin, same: winner.value === value };
        // A secret of ESC is also one if the environment overrides it.
        const secret = winner.secret || variable.secret;
        resolution.set(name, { ...winner, secret, shadowed: [...(winner.shadowed ?? []), hidden] });
      }
    });
  }
  return resolution;
}

/** Sorts layers by precedence, highest first; the layers of one source keep their order. */
export function inPrecedence(layers: readonly Layer[], prefer: "environment" | "esc"): readonly Layer[] {
  return PRECEDENCE[prefer].flatMap((source) => layers.filter((layer) => layer.source === source));
}

/** Returns the declared variables for which the environment hides a different value of ESC. */
export function overriddenEsc(resolution: Resolution, isDeclared: (name: string) => boolean): readonly string[] {
  const overridden: string[] = [];
  resolution.forEach(({ name, origin, shadowed }) => {
    if (shadowed === undefined || origin.source !== "environment" || !isDeclared(name)) return;
    if (shadowed.some((hidden) => hidden.origin.source === "esc" && !hidden.same)) overridden.push(name);
  });
  return overridden.toSorted();
}

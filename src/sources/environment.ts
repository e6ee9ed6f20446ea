import type { Environment, Layer, Origin } from "../core/model.ts";

const ORIGIN: Origin = { source: "environment" };

/** The process environment as a layer. */
export function environmentLayer(environment: Environment): Layer {
  return {
    source: "environment",
    variables: Array.from(environment, ([name, value]) => ({
      name,
      value,
      secret: false,
      origin: ORIGIN,
      delivery: "value",
    })),
  };
}

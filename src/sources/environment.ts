import type { Environment, Layer, Origin } from "../model.ts";

const ORIGIN: Origin = { source: "environment" };

/** The process environment as a layer. */
export function environmentLayer(environment: Environment): Layer {
  const variables = Array.from(environment, ([name, value]) => ({
    name,
    value,
    secret: false,
    origin: ORIGIN,
    delivery: "value" as const,
  }));
  return { source: "environment", variables };
}

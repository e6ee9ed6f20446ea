import type { Environment, Layer, Origin, Variable } from "../core/model.ts";

const ORIGIN: Origin = { source: "environment" };

/** The process environment as a layer. */
export function environmentLayer(environment: Environment): Layer {
  const variables: Variable[] = [];
  // A loop over the entries would make a list of each, which costs more than all the rest.
  environment.forEach((value, name) => {
    variables.push({ name, value, secret: false, origin: ORIGIN, delivery: "value" });
  });
  return { source: "environment", variables };
}

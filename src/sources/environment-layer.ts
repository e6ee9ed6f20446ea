/** The process environment as a layer of values. */
import type { Environment, Layer, Origin, Variable } from "../core/model.ts";
import { FROM_FILES, namesFromFiles } from "../esc/settings/from-files.ts";

const ORIGIN: Origin = { source: "environment" };
const FROM_FILE: Origin = { source: "environment", fromFile: true };

/** Returns the process environment as a layer, without the mark by which an outer sophia-run names variables from files. */
export function environmentLayer(environment: Environment): Layer {
  const fromFiles = namesFromFiles(environment);
  const variables: Variable[] = [];
  environment.forEach((value, name) => {
    if (name === FROM_FILES) return;
    const origin = fromFiles.has(name) ? FROM_FILE : ORIGIN;
    variables.push({ name, value, secret: false, origin, delivery: "value" });
  });
  return { source: "environment", variables };
}

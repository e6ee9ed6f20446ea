import type { Environment, Layer, Origin } from "../core/model.ts";
import { FROM_FILES, namesFromFiles } from "../esc/settings/from-files.ts";

const ORIGIN: Origin = { source: "environment" };
const FROM_FILE: Origin = { source: "environment", fromFile: true };

/** The process environment as a layer, without the mark by which an outer sophia-run tells what it had from files. */
export function environmentLayer(environment: Environment): Layer {
  const fromFiles = namesFromFiles(environment);
  const variables = Array.from(environment, ([name, value]) => ({
    name,
    value,
    secret: false,
    origin: fromFiles.has(name) ? FROM_FILE : ORIGIN,
    delivery: "value" as const,
  }));
  return {
    source: "environment",
    variables: environment.has(FROM_FILES) ? variables.filter(({ name }) => name !== FROM_FILES) : variables,
  };
}

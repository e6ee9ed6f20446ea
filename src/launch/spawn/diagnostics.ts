import type { Environment } from "../../core/model.ts";

/**
 * Takes back that Node.js was asked to write coverage of this process when it ends: the variable is meant for the program.
 * Reports and what listens to signals are gone already (preflight.ts), and what Node.js writes at its very end the addon
 * prevents.
 */
export function endDiagnostics(environment: Environment): void {
  if (environment.has("NODE_V8_COVERAGE")) process.getBuiltinModule("node:v8").stopCoverage();
}

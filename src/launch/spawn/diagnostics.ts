import type { Environment } from "../../core/model.ts";

/**
 * Takes back what Node.js was asked by options to write about this process while it runs or when it ends: the options are
 * meant for the program, and a report or a coverage file of this process would lie beside the program's, with secrets.
 * What listens to signals is gone already, and what Node.js writes at its very end the addon prevents.
 */
export function endDiagnostics(environment: Environment): void {
  if (process.execArgv.some(isOfReports) || isOfReports(environment.get("NODE_OPTIONS") ?? "")) {
    process.report.reportOnFatalError = false;
    process.report.reportOnUncaughtException = false;
  }
  if (environment.has("NODE_V8_COVERAGE")) process.getBuiltinModule("node:v8").stopCoverage();
}

function isOfReports(options: string): boolean {
  return options.includes("--report-");
}

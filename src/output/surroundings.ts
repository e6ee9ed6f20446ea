/** Adapts a context to what few starts have: Windows, and GitHub's runner. */
import type { Context } from "../core/context.ts";
import { windowsEnvironment } from "../core/names.ts";
import { forRunner } from "./for-runner.ts";

export function adapt(given: Context): Context {
  const { environment } = given;
  const context = process.platform === "win32" ? { ...given, environment: windowsEnvironment(environment) } : given;
  return context.environment.get("GITHUB_ACTIONS") === "true" ? forRunner(context) : context;
}

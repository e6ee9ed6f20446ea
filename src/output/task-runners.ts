/** Tools that run scripts and do not pass on the whole environment. */
import type { Resolution } from "../core/model.ts";

/** The variables that such a tool sets for a script, and how it is told what to pass on. */
const RUNNERS: readonly (readonly [variable: string, advice: string])[] = [
  ["TURBO_HASH", 'Turborepo passes on what turbo.json names: "globalPassThroughEnv": ["ESC_*"]'],
  ["NX_TASK_TARGET_PROJECT", "agents of Nx Cloud pass on what they are told: --with-env-vars=ESC_ENV,ESC_TOKEN"],
];

/** Returns the advice of the tool that started this script, if the settings of ESC may have been lost on the way. */
export function runnerAdvice(resolution: Resolution): string | undefined {
  return RUNNERS.find(([variable]) => resolution.has(variable))?.[1];
}

/** Which variables an action does not put into the environment of a job; pure but for what it loads. */
import { runsCode } from "../core/code-values.ts";
import { reasonTooLargeAlone } from "../launch/argument-size.ts";

/** What the runner sets anew for each step (actions/runner, GitHubContext.cs), so that another value has no effect. */
const OF_RUNNER: ReadonlySet<string> = new Set(
  [
    ["ACTION", "ACTION_PATH", "ACTION_REF", "ACTION_REPOSITORY", "ACTIONS", "ACTOR", "ACTOR_ID", "API_URL", "BASE_REF"],
    ["ENV", "EVENT_NAME", "EVENT_PATH", "GRAPHQL_URL", "HEAD_REF", "JOB", "OUTPUT", "PATH", "REF", "REF_NAME"],
    ["REF_PROTECTED", "REF_TYPE", "REPOSITORY", "REPOSITORY_ID", "REPOSITORY_OWNER", "REPOSITORY_OWNER_ID"],
    ["RETENTION_DAYS", "RUN_ATTEMPT", "RUN_ID", "RUN_NUMBER", "SERVER_URL", "SHA", "STATE", "STEP_SUMMARY"],
    ["TRIGGERING_ACTOR", "WORKFLOW", "WORKFLOW_REF", "WORKFLOW_SHA", "WORKSPACE"],
  ]
    .flat()
    .map((name) => `GITHUB_${name}`),
);

/**
 * Why a variable must not stand in GITHUB_ENV, in words that follow its name; undefined where it may. `GITHUB_PAT` and
 * `GITHUB_TOKEN` may: the runner has no variables of these names.
 */
export function blockedInJob(name: string, value: string): string | undefined {
  // Names of variables do not differ by case on Windows.
  const upper = name.toUpperCase();
  if (upper === "NODE_OPTIONS") return "GitHub Actions refuses NODE_OPTIONS in GITHUB_ENV";
  if (OF_RUNNER.has(upper) || /^(?:RUNNER|ACTIONS)_/.test(upper)) return "GitHub Actions sets it itself";
  if (upper.startsWith("INPUT_")) return "other actions would take it for an input";
  if (upper === "PATH") return "it would decide which programs later steps run";
  return runsCode(name, value) ? "it would make the programs of all later steps run code" : undefined;
}

/** Later steps could not start a single program with a variable that the system does not take. */
export function sizeFault(variable: { readonly name: string; readonly value: string }): string | undefined {
  const most = reasonTooLargeAlone(variable);
  return most === undefined ? undefined : `no program of a later step can start with more than ${most} in a variable`;
}

/**
 * The variables that belong to the runner of GitHub Actions. Since the runner sets them for each step, sophia-run does
 * not pass them on to later steps. Nor does it suggest one of them as a misspelling of a declared variable.
 */

/** The variables of the runner whose names begin with `GITHUB_` (GitHubContext.cs in actions/runner). */
const RUNNER_VARIABLES: ReadonlySet<string> = new Set(
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
 * A variable of the runners' virtual machines. Actions such as actions/setup-python find installed languages in its
 * folder.
 */
const IMAGE_VARIABLE = "AGENT_TOOLSDIRECTORY";

/**
 * Returns true if the runner sets the variable. It does not set `GITHUB_PAT` and `GITHUB_TOKEN`, which workflows may
 * set.
 */
export function isOfRunner(name: string): boolean {
  const upper = name.toUpperCase();
  return RUNNER_VARIABLES.has(upper) || upper === IMAGE_VARIABLE || /^(?:RUNNER|ACTIONS)_/.test(upper);
}

/** Variables that the runner sets again for each step (actions/runner, GitHubContext.cs). */
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

/** The images of runners set it: actions that install a language take their tools from this folder (actions/setup-python). */
const OF_IMAGE = "AGENT_TOOLSDIRECTORY";

/** Returns true if the runner or its image sets the variable, unlike `GITHUB_PAT` and `GITHUB_TOKEN`. */
export function isOfRunner(name: string): boolean {
  const upper = name.toUpperCase();
  return OF_RUNNER.has(upper) || upper === OF_IMAGE || /^(?:RUNNER|ACTIONS)_/.test(upper);
}

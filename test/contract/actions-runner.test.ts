import { expect, test } from "vitest";
import { isOfRunner } from "../../src/contract/actions-runner.ts";

/** The "default environment variables" in GitHub's documentation of workflows, and the files that a step writes to. */
const DOCUMENTED_VARIABLES = `
  GITHUB_ACTION GITHUB_ACTION_PATH GITHUB_ACTION_REPOSITORY GITHUB_ACTIONS GITHUB_ACTOR GITHUB_ACTOR_ID GITHUB_API_URL
  GITHUB_BASE_REF GITHUB_ENV GITHUB_EVENT_NAME GITHUB_EVENT_PATH GITHUB_GRAPHQL_URL GITHUB_HEAD_REF GITHUB_JOB
  GITHUB_OUTPUT GITHUB_PATH GITHUB_REF GITHUB_REF_NAME GITHUB_REF_PROTECTED GITHUB_REF_TYPE GITHUB_REPOSITORY
  GITHUB_REPOSITORY_ID GITHUB_REPOSITORY_OWNER GITHUB_REPOSITORY_OWNER_ID GITHUB_RETENTION_DAYS GITHUB_RUN_ATTEMPT
  GITHUB_RUN_ID GITHUB_RUN_NUMBER GITHUB_SERVER_URL GITHUB_SHA GITHUB_STATE GITHUB_STEP_SUMMARY GITHUB_TRIGGERING_ACTOR
  GITHUB_WORKFLOW GITHUB_WORKFLOW_REF GITHUB_WORKFLOW_SHA GITHUB_WORKSPACE RUNNER_ARCH RUNNER_DEBUG RUNNER_ENVIRONMENT
  RUNNER_NAME RUNNER_OS RUNNER_TEMP RUNNER_TOOL_CACHE
`;

test("every variable that GitHub documents belongs to the runner, in upper and lower case", () => {
  const names = DOCUMENTED_VARIABLES.trim().split(/\s+/);
  expect(names.filter((name) => !isOfRunner(name))).toEqual([]);
  expect(names.filter((name) => !isOfRunner(name.toLowerCase()))).toEqual([]);
});

test("the tokens of a workflow and variables of a project do not belong to the runner", () => {
  expect(["GITHUB_TOKEN", "GITHUB_PAT", "GITHUB_", "GITHUB_CLIENT_ID", "CI", "ACTION"].filter(isOfRunner)).toEqual([]);
});

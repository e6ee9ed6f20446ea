/**
 * Writes the text of `.github/workflows/configuration.yml`, the GitHub Actions workflow that runs `sophia-run check` in a
 * project. `init --with` creates it. sophia-run's own repository has such a workflow, and a test compares the two.
 */
import { DISTRIBUTION } from "../parts/distribution.ts";
import { findContractEnvironments } from "../parts/esc-use.ts";
import { REPOSITORY_URL, VERSION } from "../parts/package-source.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import type { Survey } from "./project-survey.ts";
import { createRefusalStep, type SetupStep } from "./setup-step.ts";

const WORKFLOW_FILE = ".github/workflows/configuration.yml";

const AUTH_ACTIONS = "pulumi/auth-actions@141415910c3beb54e03b48e9057c204c97b956f2 # v2.1.0";
const CHECKOUT = "actions/checkout@d23441a48e516b6c34aea4fa41551a30e30af803 # v6.1.0";
const SETUP_NODE = "actions/setup-node@249970729cb0ef3589644e2896645e5dc5ba9c38 # v6.5.0";

/**
 * The values of `--with` that create the workflow. They write the same file, so the user can choose only one.
 *
 * - `actions`: the job reads a token for Pulumi ESC from the secrets of the repository. In a project without ESC it checks
 *   only that code and contract agree.
 * - `actions-oidc` and `auth-actions`: no token is stored. Pulumi Cloud exchanges the ID token of the job for a token, by
 *   the action of sophia-run or by `pulumi/auth-actions`.
 */
export const WORKFLOW_NAMES = ["actions", "actions-oidc", "auth-actions"] as const;
type WorkflowName = (typeof WORKFLOW_NAMES)[number];

const STORED_TOKEN_REMARK = "to have no stored token, delete it and use --with actions-oidc or --with auth-actions";

/** Returns the step that creates the workflow, or advice that says why init cannot create it. */
export function createWorkflowStep(name: WorkflowName, survey: Survey): SetupStep {
  const { project, isRoot, usesEsc } = survey;
  const { manifest, node, workspace } = project;
  if (workspace.member !== "" || !isRoot) {
    return createRefusalStep(WORKFLOW_FILE, "it belongs in the root of the repository: start init there");
  }
  if (name === "actions-oidc") {
    const reference = escReferenceFor(survey);
    return stepWithText(oidcWorkflow(reference), reference.remark);
  }
  const { lockFiles, workflow, install } = commandsFor(node);
  if (manifest === undefined) {
    const alternative = usesEsc
      ? "--with actions-oidc needs none"
      : `see ${REPOSITORY_URL}/blob/main/docs/github-action.md`;
    return createRefusalStep(WORKFLOW_FILE, `there is no package.json; ${alternative}`);
  }
  if (!node.isLocked) return createRefusalStep(WORKFLOW_FILE, `there is no ${lockFiles[0]}`);
  const installation = workflow.setUp === undefined ? [install] : [workflow.setUp, install];
  const commands = { ...workflow, installation };
  if (name === "auth-actions") {
    const reference = escReferenceFor(survey);
    return stepWithText(authActionsWorkflow(commands, reference), reference.remark);
  }
  return usesEsc
    ? stepWithText(storedTokenWorkflow(commands), STORED_TOKEN_REMARK)
    : stepWithText(codeWorkflow(commands));
}

function stepWithText(text: string, remark?: string): SetupStep {
  return { kind: "create", file: WORKFLOW_FILE, text, remark };
}

/** The texts by which a workflow names the ESC environments and their organization. */
interface EscReference {
  /** `acme/app/dev,acme/app/local`, or the variable of the repository with the names: `${{ vars.ESC_ENV }}`. */
  readonly environment: string;
  readonly organization: string;
  /** Advice with the commands that set those variables; absent if the workflow reads none. */
  readonly remark?: string;
}

/**
 * Returns the names of the environments from the contract, which is in the repository anyway. If the contract names none,
 * the workflow reads variables of the repository, which the user must set.
 */
function escReferenceFor({ contract }: Survey): EscReference {
  const environments = contract === undefined ? [] : findContractEnvironments(contract);
  // A full name is `organization/project/environment`. All environments must have the same organization.
  const organizations = new Set(environments.map((name) => /^([\w.-]+)\/[^/]+\/[^/]+$/.exec(name)?.[1]));
  const [organization] = organizations.size === 1 ? organizations : [];
  const missingVariables = [
    ...(environments.length === 0 ? ["ESC_ENV"] : []),
    ...(organization === undefined ? ["PULUMI_ORGANIZATION"] : []),
  ];
  const commands = missingVariables.map((name) => `gh variable set ${name}`);
  return {
    environment: environments.length === 0 ? `\${{ vars.ESC_ENV }}` : environments.join(","),
    organization: organization ?? `\${{ vars.PULUMI_ORGANIZATION }}`,
    ...(commands.length > 0 && { remark: `set what it names: ${commands.join("; ")}` }),
  };
}

/** The commands of a workflow. Those of `installation` run one after another, before the check. */
type WorkflowCommands = NodeToolCommands["workflow"] & { readonly installation: readonly string[] };

/** The condition of the steps that need the secrets of the repository: the step `secrets` has found them. */
const IF_PRESENT = `        if: steps.secrets.outputs.present == 'true'
`;

/** The workflow of `--with actions`, which reads the token from the secrets of the repository. */
function storedTokenWorkflow({ cache, installation, check }: WorkflowCommands): string {
  return `name: Configuration

on:
  push:
    branches: [main]
  pull_request:
  # Finds an expired token or a removed secret even if nothing is pushed.
  schedule:
    - cron: "23 5 * * 1"
  workflow_dispatch:

permissions:
  contents: read

jobs:
  smoke:
    name: Smoke check of the configuration
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
      - name: Look for the secrets
        id: secrets
        # Reads only if they are set. Without them the check is skipped for pull requests (those of forks and of Dependabot
        # have none), in forks, and on the push that creates a branch. Anything else fails.
        env:
          PRESENT: \${{ secrets.ESC_ENV != '' && secrets.ESC_TOKEN != '' }}
          MAY_SKIP: \${{ github.event_name == 'pull_request' || github.event.repository.fork || github.event.created }}
        run: |
          echo "present=$PRESENT" >> "$GITHUB_OUTPUT"
          missing="The secrets ESC_ENV and ESC_TOKEN are not both available to this run"
          if [ "$PRESENT" = true ]; then
            exit
          elif [ "$MAY_SKIP" = true ]; then
            echo "::notice title=Smoke check skipped::$missing."
          else
            echo "::error title=Secrets missing::$missing. Set them: gh secret set ESC_ENV; gh secret set ESC_TOKEN"
            exit 1
          fi
${checkoutStep(IF_PRESENT)}${nodeSteps([...installation, check], cache, IF_PRESENT)}        # The two secrets reach this step alone.
        env:
          ESC_ENV: \${{ secrets.ESC_ENV }}
          ESC_TOKEN: \${{ secrets.ESC_TOKEN }}
`;
}

/** The workflow of a project without ESC. It needs no secret, so that it also runs for pull requests of forks. */
function codeWorkflow({ installation, check, cache }: WorkflowCommands): string {
  const commands = [...installation, `${check} --code --strict`];
  return `name: Configuration

on:
  push:
    branches: [main]
  pull_request:
  workflow_dispatch:

permissions:
  contents: read

jobs:
  code:
    name: Code and contract agree
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
${checkoutStep()}${nodeSteps(commands, cache)}`;
}

/** Returns a workflow whose job has an ID token, which Pulumi Cloud exchanges for a token. `steps` follow the checkout. */
function idTokenWorkflow(steps: string): string {
  return `name: Configuration

on:
  push:
    branches: [main]
  pull_request:
  # Finds a removed secret, or that Pulumi Cloud no longer trusts the repository, even if nothing is pushed.
  schedule:
    - cron: "23 5 * * 1"
  workflow_dispatch:

permissions:
  contents: read
  # For the ID token of the job, which Pulumi Cloud exchanges for a token that soon expires.
  id-token: write

jobs:
  smoke:
    name: Smoke check of the configuration
    # Pulumi Cloud does not trust forks, and their pull requests have no ID token.
    if: \${{ !github.event.repository.fork && !github.event.pull_request.head.repo.fork }}
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:
${checkoutStep()}${steps}`;
}

/** A comment for as long as no version is published, so that the tag in `uses` does not exist. */
const UNRELEASED = `      # No release exists yet, and so no tag v${VERSION}: docs/github-action.md of sophia-run has what to do until then.
`;

/** The workflow of `--with actions-oidc`. */
function oidcWorkflow({ environment, organization }: EscReference): string {
  return idTokenWorkflow(`${DISTRIBUTION === "checkout" ? UNRELEASED : ""}      - uses: sophia-platform/sophia-run@v${VERSION}
        with:
          environment: ${environment}
          oidc-organization: ${organization}
          require-esc: true
          export: check
`);
}

/** The workflow of `--with auth-actions`. */
function authActionsWorkflow(
  { cache, installation, check }: WorkflowCommands,
  { environment, organization }: EscReference,
): string {
  return idTokenWorkflow(`${nodeSteps(installation, cache)}      # Sets PULUMI_ACCESS_TOKEN for the steps behind it.
      - uses: ${AUTH_ACTIONS}
        with:
          organization: ${organization}
          requested-token-type: urn:pulumi:token-type:access_token:organization
      - run: ${check} --require-esc
        env:
          ESC_ENV: ${environment}
          ESC_TOKEN_COMMAND: printenv PULUMI_ACCESS_TOKEN
`);
}

function checkoutStep(condition = ""): string {
  return `      - uses: ${CHECKOUT}
${condition}        with:
          persist-credentials: false
`;
}

/**
 * Returns a step that installs Node.js and a step for each command. `condition` is an `if` line, which all these steps get.
 */
function nodeSteps(commands: readonly string[], cache: WorkflowCommands["cache"], condition = ""): string {
  const setUpNode = `      - uses: ${SETUP_NODE}
${condition}        with:
          node-version: "24"
${cache === undefined ? "" : `          cache: ${cache}\n`}`;
  return setUpNode + commands.map((command) => `      - run: ${command}\n${condition}`).join("");
}

/** The workflow that checks the configuration in GitHub Actions; a test compares it with that of this repository. */
import { DISTRIBUTION } from "../parts/distribution.ts";
import { environmentsIn } from "../parts/esc-use.ts";
import { REPOSITORY, VERSION } from "../parts/package-source.ts";
import { commandsFor, type NodeToolCommands } from "./node-tools.ts";
import type { Survey } from "./project-survey.ts";
import { impossible, type SetupStep } from "./setup-step.ts";

const WORKFLOW = ".github/workflows/configuration.yml";

/**
 * The values of `--with` that write the workflow, of which only one can be taken. They differ in the token for ESC: `actions` has a
 * stored one, and is without ESC in a project that does not use it. For the others Pulumi Cloud exchanges the ID token of the job.
 */
export const WORKFLOW_NAMES = ["actions", "actions-oidc", "auth-actions"] as const;
type TokenSource = (typeof WORKFLOW_NAMES)[number];

const WITHOUT_TOKEN = "to have no stored token, delete it and use --with actions-oidc or --with auth-actions";

export function newWorkflow(source: TokenSource, survey: Survey): SetupStep {
  const { project, isRoot, usesEsc } = survey;
  const { manifest, node, workspace } = project;
  if (workspace.member !== "" || !isRoot)
    return impossible(WORKFLOW, "it belongs in the root of the repository: start init there");
  if (source === "actions-oidc") {
    const place = placeIn(survey);
    return created(oidcWorkflow(place), place.remark);
  }
  const { locks, workflow, install } = commandsFor(node);
  if (manifest === undefined) {
    const other = usesEsc ? "--with actions-oidc needs none" : `see ${REPOSITORY}/blob/main/docs/github-action.md`;
    return impossible(WORKFLOW, `there is no package.json; ${other}`);
  }
  if (!node.isLocked) return impossible(WORKFLOW, `there is no ${locks[0]}`);
  const { setUp } = workflow;
  const commands = { ...workflow, before: [...(setUp === undefined ? [] : [setUp]), install] };
  if (source === "auth-actions") {
    const place = placeIn(survey);
    return created(authActionsWorkflow(commands, place), place.remark);
  }
  return usesEsc ? created(workflowText(commands), WITHOUT_TOKEN) : created(workflowOfCode(commands));
}

function created(text: string, remark?: string): SetupStep {
  return { kind: "create", file: WORKFLOW, text, remark };
}

/** The ESC environment and its organization, as a workflow names them. */
interface WorkflowPlace {
  readonly environment: string;
  readonly organization: string;
  readonly remark?: string;
}

/** Returns what the contract names, which is in the repository anyway, else variables of the repository. */
function placeIn({ contract }: Survey): WorkflowPlace {
  const named = contract === undefined ? [] : environmentsIn(contract);
  const organizations = new Set(named.map((name) => /^([\w.-]+)\/[^/]+\/[^/]+$/.exec(name)?.[1]));
  const [organization] = organizations.size === 1 ? organizations : [];
  const missing = [
    ...(named.length === 0 ? ["ESC_ENV"] : []),
    ...(organization === undefined ? ["PULUMI_ORGANIZATION"] : []),
  ];
  return {
    environment: named.length === 0 ? `\${{ vars.ESC_ENV }}` : named.join(","),
    organization: organization ?? `\${{ vars.PULUMI_ORGANIZATION }}`,
    ...(missing.length > 0 && {
      remark: `set what it names: ${missing.map((name) => `gh variable set ${name}`).join("; ")}`,
    }),
  };
}

/** `before`: the commands that install the packages, before the check. */
type WorkflowCommands = NodeToolCommands["workflow"] & { readonly before: readonly string[] };

function workflowText({ cache, before, check }: WorkflowCommands): string {
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
${checkoutStep(IF_PRESENT)}${nodeSteps([...before, check], cache, IF_PRESENT)}        # The two secrets reach this step alone.
        env:
          ESC_ENV: \${{ secrets.ESC_ENV }}
          ESC_TOKEN: \${{ secrets.ESC_TOKEN }}
`;
}

/** The workflow of a project without ESC: it needs no secret, and so runs for pull requests of forks as well. */
function workflowOfCode({ before, check, cache }: WorkflowCommands): string {
  const commands = [...before, `${check} --code --strict`];
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

/** The beginning of a workflow in which Pulumi Cloud exchanges the ID token of a job. */
function jobWithIdToken(steps: string): string {
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

const UNRELEASED = `      # No release exists yet, and so no tag v${VERSION}: docs/github-action.md of sophia-run has what to do until then.
`;

function oidcWorkflow({ environment, organization }: WorkflowPlace): string {
  return jobWithIdToken(`${DISTRIBUTION === "checkout" ? UNRELEASED : ""}      - uses: sophia-platform/sophia-run@v${VERSION}
        with:
          environment: ${environment}
          oidc-organization: ${organization}
          require-esc: true
          export: check
`);
}

function authActionsWorkflow(
  { cache, before, check }: WorkflowCommands,
  { environment, organization }: WorkflowPlace,
): string {
  return jobWithIdToken(`${nodeSteps(before, cache)}      # Sets PULUMI_ACCESS_TOKEN for the steps behind it.
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

/** A condition of a step in the workflow that looks for the secrets first. */
const IF_PRESENT = `        if: steps.secrets.outputs.present == 'true'
`;

function checkoutStep(condition = ""): string {
  return `      - uses: ${CHECKOUT}
${condition}        with:
          persist-credentials: false
`;
}

/** Returns the steps that install Node.js and then run commands, each with the condition. */
function nodeSteps(commands: readonly string[], cache: WorkflowCommands["cache"], condition = ""): string {
  const setUpNode = `      - uses: ${SETUP_NODE}
${condition}        with:
          node-version: "24"
${cache === undefined ? "" : `          cache: ${cache}\n`}`;
  return setUpNode + commands.map((command) => `      - run: ${command}\n${condition}`).join("");
}

const AUTH_ACTIONS = "pulumi/auth-actions@141415910c3beb54e03b48e9057c204c97b956f2 # v2.1.0";
const CHECKOUT = "actions/checkout@d23441a48e516b6c34aea4fa41551a30e30af803 # v6.1.0";
const SETUP_NODE = "actions/setup-node@249970729cb0ef3589644e2896645e5dc5ba9c38 # v6.5.0";

/** The devcontainer and the workflow that `init` creates; a test compares them with examples/ and checks.yml. */
import type { NodeToolCommands } from "./node-tools.ts";

/** The check runs each time the container has started. */
export function devcontainerText(name: string, { install, check }: NodeToolCommands["devcontainer"]): string {
  return `{
  "name": ${JSON.stringify(name)},
  "image": "node:24-bookworm",
  "remoteUser": "node",

  // Codespaces hands these two over as environment variables, and asks for them where they are not set.
  "secrets": {
    "ESC_ENV": { "description": "The Pulumi ESC environment, such as sophia/dev" },
    "ESC_TOKEN": { "description": "A Pulumi access token that may open this environment, and nothing else" }
  },

  // Elsewhere they are those of the machine that the container runs on. Empty ones count as unset.
  "remoteEnv": {
    "ESC_ENV": "\${localEnv:ESC_ENV}",
    "ESC_TOKEN": "\${localEnv:ESC_TOKEN}",
    "PATH": "\${containerWorkspaceFolder}/node_modules/.bin:\${containerEnv:PATH}"
  },

  "postCreateCommand": ${JSON.stringify(install)},
  "postStartCommand": ${JSON.stringify(check)}
}
`;
}

type WorkflowCommands = NodeToolCommands["workflow"] & { readonly install: string };

export function workflowText({ cache, setUp, install, check }: WorkflowCommands): string {
  const steps = [setUp, install].map((command) => (command === undefined ? "" : step(command)));
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
      - uses: actions/checkout@d23441a48e516b6c34aea4fa41551a30e30af803 # v6.1.0
        if: steps.secrets.outputs.present == 'true'
        with:
          persist-credentials: false
      - uses: actions/setup-node@249970729cb0ef3589644e2896645e5dc5ba9c38 # v6.5.0
        if: steps.secrets.outputs.present == 'true'
        with:
          node-version: "24"
${cache === undefined ? "" : `          cache: ${cache}\n`}${steps.join("")}      - run: ${check}
        if: steps.secrets.outputs.present == 'true'
        # The two secrets reach this step alone.
        env:
          ESC_ENV: \${{ secrets.ESC_ENV }}
          ESC_TOKEN: \${{ secrets.ESC_TOKEN }}
`;
}

function step(command: string): string {
  return `      - run: ${command}
        if: steps.secrets.outputs.present == 'true'
`;
}

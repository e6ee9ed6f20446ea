/** The files that `init` creates; those of README.md and examples/, as a test compares. */
import type { NodeToolCommands } from "./node-tools.ts";

/** The parts of a Dockerfile that differ from project to project. */
export interface ImagePlan {
  readonly setUp: string | undefined;
  /** The files that the installation reads; undefined if it needs the whole folder. */
  readonly files: string | undefined;
  readonly install: string;
  /** The commands that build the program in a stage of its own, in which all packages are installed. */
  readonly build: { readonly install: string; readonly command: string } | undefined;
  /** The package's path in the workspace; empty for the root. */
  readonly member: string;
  readonly options: readonly string[];
  readonly start: readonly string[];
}

const FROM = "FROM node:24-bookworm-slim";

export function dockerfileText({ setUp, files, install, build, member, options, start }: ImagePlan): string {
  const isWhole = files === undefined;
  const packages = (command: string): readonly (string | undefined)[] => [
    setUp,
    isWhole ? "COPY . ." : `COPY ${files} ./`,
    `RUN ${command}`,
  ];
  const stage = (one: NonNullable<ImagePlan["build"]>): readonly (string | undefined)[] => [
    `${FROM} AS build`,
    "WORKDIR /app",
    ...packages(one.install),
    isWhole ? undefined : "COPY . .",
    `RUN ${one.command}`,
    "# The packages that only the build needs stay here.",
    `RUN ${isWhole ? "find . -name node_modules -prune -exec rm -rf {} +" : "rm -rf node_modules"}`,
    "",
  ];
  const inMember = member === "" ? "" : `/app/${member}`;
  const lines = [
    ...(build === undefined ? [] : stage(build)),
    FROM,
    "WORKDIR /app",
    "",
    "# sophia-run is among the dependencies of package.json, not the devDependencies.",
    ...packages(install),
    `ENV PATH=${inMember && `${inMember}/node_modules/.bin:`}/app/node_modules/.bin:$PATH`,
    ...(build === undefined && isWhole ? [] : ["", build === undefined ? "COPY . ." : "COPY --from=build /app ./"]),
    inMember === "" ? undefined : `WORKDIR ${inMember}`,
    "USER node",
    "",
    "# The exec form: no shell stands between the container runtime and the program. No secret stands in the image.",
    `ENTRYPOINT ${list(["sophia-run", ...options, "--"])}`,
    `CMD ${list(start)}`,
  ];
  return `${lines.filter((line) => line !== undefined).join("\n")}\n`;
}

function list(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
}

export const DOCKERIGNORE = `# No file that holds a secret goes to the builder.
**/.env*
.git
**/node_modules
`;

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
  # A token that has expired or a secret that was removed shows without anybody's push.
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
        # Whether they are there, not what they are. Without them this passes over pull requests (those of forks and of
        # Dependabot have none), forks, and the push that creates a branch. Anything else fails.
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

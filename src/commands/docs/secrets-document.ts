/** The whole of SECRETS.md, a page for the project that has it; pure. */
import { REPOSITORY } from "../../core/package-source.ts";
import { printable } from "../../core/text.ts";
import type { Contract } from "../../contract/model.ts";
import { rotationOf } from "../../contract/rotation.ts";
import { contractBlocks } from "./secrets-section.ts";

/** Each process with all its commands. */
const HANDBOOK = `${REPOSITORY}/blob/main/docs/secrets.md`;

/** The surroundings of a contract that the page can refer to. */
export interface ProjectFacts {
  /** There is a `.github`: it may have secrets there. */
  readonly isOnGitHub: boolean;
  readonly workflows: readonly string[];
}

/**
 * What people need to know of the secrets: sources, the repository secrets, the variables, rotation, local development,
 * emergency access, verification, support and audit. It refers only to files that the project has. No command in it puts a value on a
 * command line, where other users of the machine could read it; bash and zsh read each block as one command, so that a
 * `read` does not take the next line of what is pasted for its answer.
 */
export function secretsDocument(contract: Contract, facts: ProjectFacts): readonly string[] {
  const example = rotatedName(contract);
  return [
    `Which secrets the programs here need, where they come from, and how to look after them. The values are in Pulumi ESC and
nowhere in the repository. The [handbook](${HANDBOOK}) has each step in detail.`,
    "## Sources, in order of precedence",
    `1. The process environment overrides and supplements ESC.
2. Pulumi ESC is read when \`ESC_ENV\` (such as \`acme/sophia/dev\`) and \`ESC_TOKEN\` are set: an access token that may
   [open this environment and nothing else](${HANDBOOK}#tokens-of-the-least-scope).
3. \`.env\` files fill only what is missing, for local development. They are never committed.`,
    "`sophia-run explain` shows for each variable which source gives it and what it hides.",
    ...(facts.isOnGitHub ? repositorySecrets() : []),
    "## The variables",
    ...contractBlocks(contract),
    "## Rotation",
    `As often as the tables say, and at once when another person may have seen a value:

1. Make the new key at its provider.
2. \`sophia-run rotate ${example}\` asks for it, checks its format, writes it into ESC and reads it back. \`--to REVISION\`
   restores an earlier value.
3. Restart the programs; \`sophia-run --watch -- <command>\` restarts its own by itself.
4. \`sophia-run check --live\` asks the services whether the keys work. Then revoke the old key.`,
    "`sophia-run rotate --token` replaces `ESC_TOKEN`; `sophia-run check --overdue` says what is due.",
    "## Local development",
    shell(`cp .env.example .env && chmod 600 .env`),
    `Set \`ESC_ENV\` and \`ESC_TOKEN\` in \`.env\`, or the values themselves; \`sophia-run import .env\` brings those into ESC.
Without any secret \`sophia-run --fake -- <command>\` starts the command with dummy values.`,
    "## Emergency access",
    `- _ESC is not available_: programs start as long as the environment and \`.env\` files meet the contract. Where
  \`SOPHIA_CACHE=1\` was set, \`--offline\` uses what ESC gave in the last 24 hours.
- _ESC refuses_: the environment alone serves. To work from \`.env\`, unset \`ESC_TOKEN\`.`,
    `Keep a sealed copy of the values that production cannot do without. In an emergency set them as environment variables, each
like this, start as always, and unset them afterwards: they override ESC.`,
    shell(`read -rs ${example} && export ${example}`),
    "## Verification",
    shell(`sophia-run check                        # what is configured, masked, and from where
sophia-run check --against "$ESC_ENV"   # before a deployment: does this environment meet the contract?`),
    "The exit status is 0, or 1 where the contract is not met.",
    "## Support",
    `- The console of Pulumi Cloud, <https://app.pulumi.com>: the environment, its revisions, tokens and roles.
- \`sophia-run explain ${example}\`: where the value comes from, or why the program does not get it.${facts.workflows.map(lastRuns).join("")}`,
    "## Audit logs",
    shell(`sophia-run audit   # how old each secret is, who changed it last, what is overdue, the token`),
    "Who opened the environment is in the audit log of the organization in the console of Pulumi Cloud.",
    "## Good practice",
    `- Use tokens that may open one environment and nothing else, one for each place of use, each with an end.
- Put no value into the repository, an image, a command line or a log. \`sophia-run scan --staged\` in a pre-commit hook
  refuses a commit that holds one.
- Pass only what is needed: \`--scope\`, \`--only-declared\`, \`--exclude 'AWS_*'\`.`,
  ];
}

function repositorySecrets(): readonly string[] {
  return [
    "## The two repository secrets",
    "GitHub Actions has `ESC_ENV` and `ESC_TOKEN` as secrets. This asks for both, and shows the token nowhere:",
    shell(`read -r VALUE && printf %s "$VALUE" | gh secret set ESC_ENV &&
  read -rs VALUE && printf %s "$VALUE" | gh secret set ESC_TOKEN; unset VALUE`),
    `\`gh secret list\` shows which are set. Codespaces keep theirs apart: the same with \`--app codespaces\`.
[Without a stored token](${HANDBOOK}#without-a-stored-token) a workflow uses the ID token of its job.`,
  ];
}

function lastRuns(workflow: string): string {
  return `\n- \`gh run list --workflow ${printable(workflow)}\`: the last checks in GitHub Actions.`;
}

/** The variable of the examples: a secret, best one that is to be replaced now and then, whose name shells can hold. */
function rotatedName(contract: Contract): string {
  const secrets = [...contract.variables.values()].filter(({ name, secret }) => secret && /^\w+$/.test(name));
  return (secrets.find((one) => rotationOf(contract, one) !== undefined) ?? secrets[0])?.name ?? "API_KEY";
}

function shell(commands: string): string {
  return `\`\`\`sh\n${commands}\n\`\`\``;
}

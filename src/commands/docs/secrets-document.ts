/** The whole of SECRETS.md; pure. */
import type { Contract } from "../../contract/model.ts";
import { rotationOf } from "../../contract/rotation.ts";
import { contractBlocks, table } from "./secrets-section.ts";

/**
 * What people need to know of the secrets, from the contract: sources, the two repository secrets, tokens, the variables,
 * rotation, local development, emergency access, verification, support and audit. No command in it puts a value on a
 * command line, where other users of the machine could read it; bash and zsh read each block as one command, so that a
 * `read` does not take the next line of what is pasted for its answer.
 *
 * The commands are those of https://cli.github.com/manual/gh_secret_set,
 * https://www.pulumi.com/docs/iac/cli/commands/pulumi_env_set/ and
 * https://www.pulumi.com/docs/reference/cloud-rest-api/access-tokens/.
 */
export function secretsDocument(contract: Contract): readonly string[] {
  const example = rotatedName(contract);
  return [
    `Which secrets the programs of this repository need, where they come from, and how to look after them. The values are in
Pulumi ESC and nowhere in the repository.`,
    "## Sources, in order of precedence",
    `1. The process environment overrides and supplements ESC.
2. Pulumi ESC is read when \`ESC_ENV\` and a credential are set.
3. \`.env\` files fill only what is missing, for local development. They are never committed.`,
    "`sophia-run explain` shows for each variable which source gives it and what it hides.",
    "## The two repository secrets",
    `- \`ESC_ENV\`: the environment, \`organization/project/name\`, such as \`acme/sophia/dev\`.
- \`ESC_TOKEN\`: an access token that may open that environment and nothing else.`,
    "GitHub Actions and Codespaces keep their secrets apart. This asks for the environment, and sets it for both:",
    shell(`read -r VALUE &&
  printf %s "$VALUE" | gh secret set ESC_ENV --app actions &&
  printf %s "$VALUE" | gh secret set ESC_ENV --app codespaces`),
    "This asks for the token, which is not shown:",
    shell(`read -rs VALUE &&
  printf %s "$VALUE" | gh secret set ESC_TOKEN --app actions &&
  printf %s "$VALUE" | gh secret set ESC_TOKEN --app codespaces; unset VALUE`),
    `A workflow passes both to the step's \`env\`. Codespaces have them as environment variables; \`devcontainer.json\` lists
them under \`secrets\`, so that people are asked for them. \`gh secret list --app actions\` and
\`gh secret list --app codespaces\` show which are set, and since when.`,
    "### Tokens of the least scope",
    `The launcher opens an environment and needs nothing else. In the console of Pulumi Cloud, under _Settings_: make a role
whose permission set for this one environment is _Environment Open_, then an organization access token with that role and
an end, one for each place of use, so that each can be revoked alone. Without custom roles, give a team _open_ access to
the environment and use a token of that team.`,
    `The same by the REST interface: this asks for the role's identifier, then for a token that may make tokens. The new token
goes to GitHub at once and is shown nowhere.`,
    shell(`read -r ROLE && read -rs VALUE &&
  VALUE=$(printf 'Authorization: token %s\\n' "$VALUE" |
    curl --fail --silent --show-error --header @- --header 'Accept: application/vnd.pulumi+8' \\
      --header 'Content-Type: application/json' --data @<(jq --null-input --arg role "$ROLE" '{
        name: ("actions-" + (now | strftime("%Y%m%d-%H%M%S"))), description: "opens the environment",
        admin: false, roleID: $role, expires: (now + 90 * 86400 | floor)}') \\
      "https://api.pulumi.com/api/orgs/\${ESC_ENV%%/*}/tokens" |
    jq --exit-status --raw-output .tokenValue) &&
  printf %s "$VALUE" | gh secret set ESC_TOKEN --app actions; unset VALUE`),
    "### Without a stored token",
    `The first of these that is set is used. The process environment goes before \`.env\` files:`,
    `1. \`ESC_TOKEN\`: the token itself.
2. \`ESC_TOKEN_FILE\`: a file that holds it (Docker and Kubernetes secrets).
3. \`ESC_OIDC_TOKEN_FILE\`: a file with an OIDC token, such as Kubernetes mounts. sophia-run exchanges it for a
   short-lived Pulumi token.
4. In GitHub Actions with \`permissions: id-token: write\` and \`ESC_OIDC_ORG\`: the job's own ID token, exchanged likewise.`,
    `For 3 and 4 \`ESC_OIDC_ORG\` names the organization. \`ESC_OIDC_TYPE\` (\`organization\`, \`team\` or \`personal\`),
\`ESC_OIDC_SCOPE\` (\`team:NAME\`, \`user:LOGIN\`) and \`ESC_OIDC_EXPIRATION\` (seconds) say which kind of token is wanted.`,
    "## The variables",
    ...contractBlocks(contract),
    "## Rotation",
    `As often as the tables say, and at once when somebody may have seen a value:`,
    `1. Make the new key at its provider.
2. Put it into ESC. This asks for the value, which is not shown. Where \`ESC_ENV\` names several environments, write the one
   that has the value in its place; without \`--string\` the value would be read as YAML:

   ${shell(
     `read -rs VALUE && printf %s "$VALUE" |
  pulumi env set "$ESC_ENV" environmentVariables.${example} --secret --string --file -; unset VALUE`,
   ).replaceAll("\n", "\n   ")}

   Or \`sophia-run rotate ${example}\`: it asks for a token that may write (or takes \`ESC_ADMIN_TOKEN\`) and for the
   value, finds the environment that has it, checks the format and reads back what it wrote. \`--generate\` makes up a
   value, \`--to REVISION\` restores an earlier one and nothing else.

   Each change is a new revision of the environment.

3. Restart services: programs that run keep the old value. What \`sophia-run --watch -- <command>\` has started is started
   anew by itself. For the others one of these, with the names of your services:

   ${shell(`docker compose up --detach --force-recreate
kubectl rollout restart deployment/sophia
sudo systemctl restart sophia`).replaceAll("\n", "\n   ")}

4. Verify with \`sophia-run check --live\`, which asks the services themselves, then revoke the old key at its provider.`,
    `\`ESC_TOKEN\` itself: \`sophia-run rotate --token\` makes a new one that may only open environments, verifies that it opens
\`ESC_ENV\`, stores it as the repository secret for Actions and for Codespaces by the GitHub CLI, and only then deletes the old
one. Whatever fails, the old one works; the new one is shown nowhere. It needs \`ESC_ADMIN_TOKEN\`, a token that may make
tokens. By hand: as above, for both, then the check, and only then delete the old token in the console.`,
    "### Each process is one command",
    table(
      ["what is to be done", "command"],
      [
        ["Replace a secret", `\`sophia-run rotate ${example}\``],
        ["Replace the token of the launcher", "`sophia-run rotate --token`"],
        ["Go back to its old value", `\`sophia-run rotate ${example} --to REVISION\``],
        ["Bring a `.env` into ESC", "`sophia-run import .env`"],
        ["Restart services with new values", "`sophia-run --watch -- <command>`"],
        ["Verify that the new values work", "`sophia-run check --live`"],
        ["Rotate every quarter: what is due", "`sophia-run check --overdue`"],
        ["Audit who changed what, and the token", "`sophia-run audit --strict`"],
        ["Verify before a deployment", '`sophia-run check --against "$ESC_ENV"`'],
        ["Keep values out of the repository", "`sophia-run scan --staged`"],
        ["Give a process what it needs alone", "`sophia-run --scope NAME -- <command>`"],
        ["Start in an emergency, from `.env`", "`env -u ESC_TOKEN sophia-run -- <command>`"],
      ],
    ),
    "## Local development",
    shell(`cp .env.example .env && chmod 600 .env`),
    `Set \`ESC_ENV\` and \`ESC_TOKEN\` in \`.env\`, or fill in the values by hand; \`sophia-run import .env\` brings those of a
\`.env\` that you have into ESC. Without any secret,
\`sophia-run --fake -- <command>\` starts the command with dummy values.`,
    "## Emergency access",
    `- _ESC is not available_ (no network, no answer in time, an error of the service): programs start all the same as long as
  the environment and \`.env\` files meet the contract. A warning says why ESC could not be read.
  Where \`SOPHIA_CACHE=1\` was set, what ESC gave in the last 24 hours serves, too, encrypted on that machine until then;
  \`--offline\` uses it without asking ESC.
- _ESC refuses_ (the token is not accepted, the environment is not there or may not be opened): the environment alone
  serves. To work from \`.env\`, unset \`ESC_TOKEN\`.`,
    `Keep a sealed copy of the values that production cannot do without where your team keeps such things. In an emergency
set them as environment variables, each like this, and start as always:`,
    shell(`read -rs ${example} && export ${example}`),
    `Afterwards take them away again: they override ESC, and \`sophia-run check\` says so. \`sophia-run --no-contract -- bash\`
is a shell with the values that there are. Where a start without ESC would be wrong, \`--require-esc\` makes it an error.`,
    "## Verification",
    shell(`sophia-run check                        # what is configured, masked, and from where
sophia-run check --json                 # for programs; not even masked values
sophia-run check --against "$ESC_ENV"   # before a deployment: does this environment meet the contract?`),
    "The exit status is 0, or 1 where the contract is not met. `sophia-run check --live` asks the services themselves whether the\nkeys work.",
    "## Support",
    `- The console of Pulumi Cloud, <https://app.pulumi.com>: the environment, its revisions, tokens and roles.
- \`sophia-run explain ${example}\`: where the value comes from, or why the program does not get it.
- \`gh secret list --app actions\`: whether the two secrets are set.
- The log of the last failed check in GitHub Actions:`,
    shell(`gh run list --workflow checks.yml --limit 5
gh run view --log-failed "$(gh run list --workflow checks.yml --status failure --limit 1 \\
  --json databaseId --jq '.[0].databaseId')"`),
    "## Audit logs",
    shell(`sophia-run audit            # how old each secret is, who changed it last, what is overdue, the token
sophia-run audit --strict   # for CI: status 1 where there is a finding`),
    `\`ESC_ADMIN_TOKEN\`, where it is set, sees more than a token that may only open. Who changed the environment is in its history. Who opened it, and who made or deleted a token, is in the organization's
audit log: in the console under _Settings_, _Audit logs_, or with a recent \`pulumi\`:`,
    shell(`pulumi env version history "$ESC_ENV"
pulumi org audit-log list --org "\${ESC_ENV%%/*}"`),
    "GitHub has an audit log of its own, in which changes of repository secrets stand.",
    "## Good practice",
    `- Use tokens that may open one environment and nothing else, one for each place of use, each with an end.
- Rotate as often as the tables say: \`sophia-run check --overdue\` in a scheduled workflow fails when it is time.
- Put no value into the repository, an image, a command line or a log. sophia-run prints values only when \`export\` is
  asked for them, to a terminal or a coding agent only with \`--reveal\`; \`check\` shows the last four characters of those that have at least twelve. Keep your programs from
  printing them, too.
- Let git refuse a commit that holds a value: \`sophia-run scan --staged\` as a line of \`.git/hooks/pre-commit\`, or as
  a hook of husky, lefthook or pre-commit. \`sophia-run scan --history\` searches what was committed before.
- Pass only what is needed: \`--scope\`, \`--only-declared\`, \`--pristine\`, \`--exclude 'AWS_*'\`.`,
  ];
}

/** The variable of the examples: a secret, best one that is to be replaced now and then, whose name shells can hold. */
function rotatedName(contract: Contract): string {
  const secrets = [...contract.variables.values()].filter(({ name, secret }) => secret && /^\w+$/.test(name));
  return (secrets.find((one) => rotationOf(contract, one) !== undefined) ?? secrets[0])?.name ?? "API_KEY";
}

function shell(commands: string): string {
  return `\`\`\`sh\n${commands}\n\`\`\``;
}

/**
 * Writes the text of SECRETS.md for `sophia-run docs`: how the users of a project get, rotate and check its secrets, with
 * tables of the variables. In a document that the user wrote, `docs` puts only the tables.
 */
import { REPOSITORY_URL } from "../parts/package-source.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { Contract, Declaration, Rule } from "../../contract/contract-model.ts";
import { rotationIntervalOf } from "../../contract/rotation.ts";
import {
  listChapters,
  describeFormat,
  describeGroupRule,
  describeInterval,
  isGroupRule,
  createRuleFinder,
  describeRule,
} from "./outline.ts";

const HANDBOOK = `${REPOSITORY_URL}/blob/main/docs/secrets.md`;

/** The facts about the project that the document states besides its contract. */
export interface ProjectFacts {
  readonly isOnGitHub: boolean;
  /** The file names of the workflows that run `sophia-run check`. */
  readonly workflows: readonly string[];
  /** True if values are also in Pulumi ESC. */
  readonly usesEsc: boolean;
}

/**
 * Returns the blocks of the document, which an empty line separates. No command line in it has a value, since other users
 * of the machine could read it. bash and zsh read each block of commands as one command, so that `read` does not take the
 * next pasted line for its answer.
 */
export function createSecretsDocument(contract: Contract, facts: ProjectFacts): readonly string[] {
  return facts.usesEsc ? documentWithEsc(contract, facts) : documentWithoutEsc(contract, facts);
}

/** Returns the blocks for a project without ESC. Advice that holds with ESC, too, must also be in the other document. */
function documentWithoutEsc(contract: Contract, facts: ProjectFacts): readonly string[] {
  const exampleSecret = chooseExampleSecret(contract);
  return [
    `The secrets of these programs: where they come from, and how to maintain them. No value is in the repository. The
[handbook](${HANDBOOK}) describes each step in detail.`,
    "## Sources, in order of precedence",
    `1. The process environment: what a host, a container or a CI job sets.
2. A \`.env.override\` of your own, for local development.
3. Folders of secrets (\`--secrets-dir\`, \`/run/secrets\`), and files that a \`NAME_FILE\` names.
4. \`.env\` files, for local development. Never commit them.
5. Defaults of the contract.`,
    "`sophia-run explain` shows the source of each variable, and the sources that it overrides.",
    "## The variables",
    ...createContractBlocks(contract),
    "## Rotation",
    `Rotate a secret as often as the tables say, and immediately if another person may have seen it:

1. Create the new key at its provider.
2. Replace the value where it is set: in the secrets of the host and of CI, and in each developer's \`.env\`.
3. \`sophia-run check\` says if it has the format, \`sophia-run check --live\` asks the services whether the keys work.
4. Restart the programs. \`sophia-run --watch -- <command>\` restarts its program by itself. Then revoke the old key.`,
    "## Local development",
    shellBlock("cp .env.example .env && chmod 600 .env"),
    `Set the values in \`.env\`. Without any secret, \`sophia-run --fake -- <command>\` starts the command with dummy values.`,
    "## Verification",
    shellBlock("sophia-run check\nsophia-run check --code"),
    `The first shows the variables, masked, with their sources. The exit status is 0, or 1 if the contract is not met. The
second compares the code with the contract, and needs no value.`,
    "## Support",
    `- \`sophia-run explain ${exampleSecret}\`: the source of the value, or the reason why the program does not get it.${facts.workflows.map(lastRunsItem).join("")}`,
    "## Good practice",
    `- Use a separate key for each place of use, with the least rights, which expires.
- Put no value into the repository, an image, a command line or a log. In a pre-commit hook
  \`sophia-run scan --staged\` rejects a commit that contains one.
- Pass only the variables that a program needs: \`--scope\`, \`--only-declared\`, \`--exclude 'AWS_*'\`.`,
  ];
}

function documentWithEsc(contract: Contract, facts: ProjectFacts): readonly string[] {
  const exampleSecret = chooseExampleSecret(contract);
  return [
    `The secrets of these programs: where they come from, and how to maintain them. The values are in Pulumi ESC, not in the
repository. The [handbook](${HANDBOOK}) describes each step in detail.`,
    "## Sources, in order of precedence",
    `1. The process environment, then a \`.env.override\` of your own, override ESC and add to it.
2. ${escSource(contract)}
3. \`.env\` files only fill gaps, for local development. Never commit them.`,
    "`sophia-run explain` shows the source of each variable, and the sources that it overrides.",
    ...(facts.isOnGitHub ? repositorySecrets() : []),
    "## The variables",
    ...createContractBlocks(contract),
    "## Rotation",
    `Rotate a secret as often as the tables say, and immediately if another person may have seen it:

1. Create the new key at its provider.
2. \`sophia-run rotate ${exampleSecret}\` asks for it, checks its format, writes it to ESC and reads it back. \`--to REVISION\`
   restores an earlier value.
3. Restart the programs. \`sophia-run --watch -- <command>\` restarts its program by itself.
4. \`sophia-run check --live\` asks the services whether the keys work. Then revoke the old key.`,
    "`sophia-run rotate --token` replaces `ESC_TOKEN`; `sophia-run check --overdue` lists the secrets that are due for rotation.",
    "## Local development",
    ...(contract.environment === undefined ? [] : [LOGIN]),
    shellBlock(`cp .env.example .env && chmod 600 .env`),
    `Set \`ESC_ENV\` and \`ESC_TOKEN\` in \`.env\`, or the values themselves; \`sophia-run import .env\` copies these values to ESC.
Without any secret, \`sophia-run --fake -- <command>\` starts the command with dummy values.`,
    "## Emergency access",
    `- _ESC is not available_: programs start if the environment and \`.env\` files meet the contract. If
  \`SOPHIA_CACHE=1\` was set, \`--offline\` uses the values that ESC returned in the last 24 hours.
- _ESC refuses the token_: only the environment is used. To use \`.env\` files, unset \`ESC_TOKEN\`.`,
    `Keep a sealed copy of the values that production needs. In an emergency set each of them as an environment variable, start
as usual, and unset them afterwards. They override ESC:`,
    shellBlock(`read -rs ${exampleSecret} && export ${exampleSecret}`),
    "## Verification",
    shellBlock(`sophia-run check
sophia-run check --against ${shellEnvironment(contract)}`),
    `The first shows the variables, masked, with their sources. The second is for a deployment: does this environment meet
the contract? The exit status is 0, or 1 if the contract is not met.`,
    "## Support",
    `- The console of Pulumi Cloud, <https://app.pulumi.com>: the environment, its revisions, tokens and roles.
- \`sophia-run explain ${exampleSecret}\`: the source of the value, or the reason why the program does not get it.${facts.workflows.map(lastRunsItem).join("")}`,
    "## Audit logs",
    shellBlock("sophia-run audit"),
    `This shows the age and the last change of each secret, overdue rotations, and the token. The audit log of the
organization, in the console of Pulumi Cloud, shows who opened the environment.`,
    "## Good practice",
    `- Use a separate token for each place of use. It should open only one environment, and expire.
- Put no value into the repository, an image, a command line or a log. In a pre-commit hook
  \`sophia-run scan --staged --require-esc\` rejects a commit that contains one.
- Pass only the variables that a program needs: \`--scope\`, \`--only-declared\`, \`--exclude 'AWS_*'\`.`,
  ];
}

const LOGIN = `\`pulumi login\` and \`sophia-run login\`, once on a machine, give starts your own token
([how](${HANDBOOK}#a-token-without-copying-one)). Without Pulumi's CLI:`;

/** Returns the environment to compare as a shell word: the last one that the contract names, since it has precedence. */
function shellEnvironment({ environment }: Contract): string {
  const name = environment?.names.at(-1);
  return name === undefined ? '"$ESC_ENV"' : shellWord(name);
}

/** Describes which environment is read, and when. */
function escSource({ environment }: Contract): string {
  const tokenAdvice = `The token needs only the
   right to [open this environment](${HANDBOOK}#tokens-of-the-least-scope).`;
  if (environment === undefined) {
    return `Pulumi ESC is read if \`ESC_ENV\` (such as \`acme/sophia/dev\`) and \`ESC_TOKEN\` are set. ${tokenAdvice}`;
  }
  const names = enumerate(environment.names.map((name) => `\`${printable(name)}\``));
  return `Pulumi ESC: ${names}, which the contract names, or what \`ESC_ENV\` names, if
   there is a token (\`ESC_TOKEN\`). The first start asks whether your token may open it. ${tokenAdvice}`;
}

/** The heading of the chapter that only a repository on GitHub needs. */
export const GITHUB_HEADING = "## The two repository secrets";

function repositorySecrets(): readonly string[] {
  return [
    GITHUB_HEADING,
    "GitHub Actions uses `ESC_ENV` and `ESC_TOKEN` as secrets. These commands ask for both and do not show the token:",
    shellBlock(`read -r VALUE && printf %s "$VALUE" | gh secret set ESC_ENV &&
  read -rs VALUE && printf %s "$VALUE" | gh secret set ESC_TOKEN; unset VALUE`),
    `\`gh secret list\` lists them. Codespaces have their own secrets: add \`--app codespaces\`.
[Without a stored token](${HANDBOOK}#without-a-stored-token) a workflow uses the ID token of its job.`,
  ];
}

/** Returns a list item with the command that shows the last runs of a workflow. */
function lastRunsItem(workflow: string): string {
  return `\n- \`gh run list --workflow ${printable(workflow)}\`: the last checks in GitHub Actions.`;
}

/**
 * Returns the name of the variable in the examples of commands: a secret whose name a shell accepts, if possible one that
 * must be rotated.
 */
function chooseExampleSecret(contract: Contract): string {
  const secrets = [...contract.variables.values()].filter(({ name, secret }) => secret && /^\w+$/.test(name));
  const rotatedSecret = secrets.find((declaration) => rotationIntervalOf(contract, declaration) !== undefined);
  return (rotatedSecret ?? secrets[0])?.name ?? "API_KEY";
}

function shellBlock(commands: string): string {
  return `\`\`\`sh\n${commands}\n\`\`\``;
}

/** Describes the contract in Markdown: a table for each chapter, and the rules of groups. The tables contain no value. */
export function createContractBlocks(contract: Contract): readonly string[] {
  const rulesOf = createRuleFinder(contract);
  const blocks = listChapters(contract).flatMap(({ title, declarations }) => [
    `### ${escapeInline(title)}`,
    createTable(
      ["Variable", "Needed", "Description", "Rotation"],
      declarations.map((declaration) => createRow(contract, declaration, rulesOf(declaration.name))),
    ),
  ]);
  const groups = contract.rules
    .filter(isGroupRule)
    .map((rule) => `- **${escapeInline(rule.label)}**: ${describeGroupRule(rule, formatCode)}`);
  if (groups.length > 0) blocks.push("### Rules for several variables", groups.join("\n"));
  if (contract.scope === undefined && contract.scopes.size > 0) {
    const scopes = Array.from(contract.scopes, ([name, names]) => [
      formatCode(`--scope ${name}`),
      names.map(formatCode).join(", "),
    ]);
    blocks.push("### Variables of each process", createTable(["Process", "Variables"], scopes));
  }
  return blocks;
}

/** Returns the cells of a variable's row. */
function createRow(contract: Contract, declaration: Declaration, rules: readonly Rule[]): readonly string[] {
  const { name, label, description, docs, deprecated, aliases, default: fallback } = declaration;
  const format = describeFormat(declaration);
  const rotation = rotationIntervalOf(contract, declaration);
  const shownAliases = aliases.map((alias) => formatCode(alias.name) + (alias.deprecated ? " (deprecated)" : ""));
  const labelAsPurpose = label === name ? "" : label;
  const purpose = description === "" ? labelAsPurpose : description;
  const facts = [
    ...(purpose === "" ? [] : [escapeInline(purpose)]),
    ...(format === undefined ? [] : [`Format: ${escapeInline(format)}.`]),
    ...(fallback === undefined ? [] : [`Default: ${formatCode(fallback)}.`]),
    ...(shownAliases.length === 0 ? [] : [`Also as ${shownAliases.join(", ")}.`]),
    ...(deprecated === undefined ? [] : [`Deprecated: use ${formatCode(deprecated)}.`]),
    ...(docs === undefined ? [] : [`[More](${docs.replaceAll(/[()|\\]/g, percentEncode)})`]),
  ];
  return [
    formatCode(name),
    escapeInline(rules.map(describeRule).join("; ")),
    facts.join(" "),
    rotation === undefined ? "" : describeInterval(rotation),
  ];
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Returns a text on one line, with escapes for the characters that Markdown would take for its own. */
function escapeInline(text: string): string {
  return printable(text.replaceAll(/\s+/g, " "))
    .trim()
    .replaceAll(/[\\`*<[|]|(?<![a-z\d])_|_(?![a-z\d])/gi, String.raw`\$&`);
}

/** Returns a text as code in Markdown. The fence has more backticks than any sequence of them in the text. */
function formatCode(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, " "));
  const longestFence = Math.max(0, ...(line.match(/`+/g) ?? []).map((backticks) => backticks.length));
  const fence = "`".repeat(longestFence + 1);
  const space = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return fence + space + line.replaceAll("|", String.raw`\|`) + space + fence;
}

/** Returns a table with aligned columns, as formatters write it. */
export function createTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    [head, ...rows].reduce((widest, cells) => Math.max(widest, Array.from(cells[column] ?? "").length), 3),
  );
  const line = (cells: readonly string[], fill: string): string =>
    `| ${widths.map((width, column) => pad(cells[column] ?? "", width, fill)).join(" | ")} |`;
  return [line(head, " "), line([], "-"), ...rows.map((cells) => line(cells, " "))].join("\n");
}

function pad(text: string, width: number, fill: string): string {
  return text + fill.repeat(Math.max(0, width - Array.from(text).length));
}

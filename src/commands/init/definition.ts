import type { CommandDefinition } from "../command.ts";

export const initCommand: CommandDefinition = {
  describe: "Create a contract for this folder, and set up its project files",
  details: [
    "Writes sophia.contract.json from all sources that the project has: files of other tools, .env.example, the ESC environment (only names), " +
      "the code, and .env (only names); --from chooses some of them. A variable is required if .env.example does not call it " +
      "optional, or if the code fails without it or reads it without a fallback; at a terminal init asks about the others, and proposes the last kind. " +
      "Formats come from the types of zod, t3-env, envalid, pydantic and their like. A .env.example that docs wrote " +
      "restores the contract that it was written from. --from builtin writes Sophia's own contract; together with other sources, a contract that extends it.",
    "The files of other tools are .env.schema and secretspec.toml. doppler.yaml, .infisical.json and .env.vault name no " +
      "variable; init prints where they are.",
    "At its end init shows what it would change in package.json (scripts that start programs, and the script by which npm " +
      "scripts start the executable) and in .gitignore, and asks once; --yes and --link answer. Without a terminal it only prints that. Other existing files " +
      "(pyproject.toml or requirements.txt, Dockerfile, devcontainer) are not changed: init prints the lines to add. --with creates missing files, for npm, pnpm, Yarn or Bun, depending on packageManager in " +
      "package.json or on the lock file. The Dockerfile follows the start and build scripts of package.json. At a terminal " +
      "init asks which files to create.",
    "The workflow of --with actions opens ESC by the repository secrets ESC_ENV and ESC_TOKEN. With actions-oidc or " +
      "auth-actions there is no stored token: Pulumi Cloud exchanges the ID token of the job. The first starts the action of " +
      "sophia-run, the second pulumi/auth-actions and the installed package (docs/secrets.md).",
    "--with claude,codex adds the hooks of docs/agents.md to .claude/settings.json and .codex/config.toml, and keeps what " +
      "is there. They are not part of `all`.",
  ],
  options: {
    from: {
      type: "list",
      choices: ["builtin", "tools", "example", "esc", "code", "dotenv"],
      value: "SOURCE",
      describe: "Sources of variables: builtin, tools, example, esc, code or dotenv; several with commas",
    },
    with: {
      type: "list",
      choices: ["docker", "devcontainer", "actions", "actions-oidc", "auth-actions", "all", "claude", "codex"],
      value: "FILES",
      describe:
        "Also create files for docker, devcontainer or actions, or all; actions-oidc or auth-actions: the workflow without a " +
        "stored token; claude or codex: add hooks to the settings of Claude Code or Codex; several with commas",
    },
    "edit-scripts": {
      type: "boolean",
      describe: "Put sophia-run in front of the start, dev and serve scripts in package.json",
    },
    yes: {
      type: "boolean",
      describe: "Change these scripts, and .gitignore, without asking",
    },
    link: {
      type: "boolean",
      describe: "Add the script of package.json that calls sophia-run link, without asking",
    },
  },
  statuses: { 0: "done; the output lists the lines that you should add" },
  examples: [
    "sophia-run init",
    "sophia-run init --from builtin",
    "sophia-run init --from code --from example",
    "sophia-run init --with docker,actions",
    "sophia-run init --with claude,codex",
    "sophia-run init --yes",
    "sophia-run init --edit-scripts",
  ],
  load: async () => (await import("./init.ts")).init,
};

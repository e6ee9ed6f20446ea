/** The help and the options of `sophia-run init`. The command itself, init.ts, is loaded when it runs. */
import type { CommandDefinition } from "../command.ts";

export const initCommand: CommandDefinition = {
  describe: "Create a contract for this folder, and set up its project files",
  details: [
    "Writes sophia.contract.json from all sources that the project has: files of other tools, .env.example, the environment " +
      "in Pulumi ESC, the code, and .env. Values of ESC and .env are not written into the contract. --from chooses some of the sources.",
    "A variable is required if .env.example does not call it optional, or if the code fails without it. If the code reads it " +
      "without a fallback, it is required, too; at a terminal init proposes these variables, and asks about all for which no source decides.",
    "Formats come from the types of zod, t3-env, envalid, pydantic and similar libraries. A .env.example that sophia-run docs " +
      "wrote restores the contract from which it was written. --from builtin writes Sophia's own contract; with further " +
      "sources, init writes a contract that extends it.",
    "The files of other tools are .env.schema and secretspec.toml. doppler.yaml, .infisical.json and .env.vault name no " +
      "variable; init prints where they are.",
    "At its end init shows what it would change in package.json and .gitignore, and asks once: the scripts that start " +
      "programs, and a script that runs sophia-run link, so that npm scripts start without Node.js. --yes agrees to the start " +
      "scripts and .gitignore, --link to the other script. Without a terminal and these options it only prints the changes. " +
      "It does not change other files (pyproject.toml or requirements.txt, Dockerfile, devcontainer), and prints the lines to add.",
    "--with creates missing files, for npm, pnpm, Yarn or Bun, depending on packageManager in package.json or on the lock " +
      "file. The Dockerfile runs the build and start scripts of package.json. At a terminal init asks which files to create.",
    "The workflow of --with actions reads ESC with the repository secrets ESC_ENV and ESC_TOKEN. With actions-oidc or " +
      "auth-actions no token is stored: Pulumi Cloud exchanges the ID token of the job. actions-oidc uses the action of " +
      "sophia-run, auth-actions uses pulumi/auth-actions and the installed package (docs/secrets.md).",
    "--with claude,codex adds the hooks of docs/agents.md to .claude/settings.json and .codex/config.toml, and keeps what " +
      "is there. `all` is docker, devcontainer and one workflow.",
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
        "Files to create: docker, devcontainer, one workflow (actions, actions-oidc or auth-actions), or all; claude and codex " +
        "add hooks to the settings of these agents; several with commas",
    },
    "edit-scripts": {
      type: "boolean",
      describe: "Put sophia-run in front of the start, dev and serve scripts in package.json",
    },
    yes: {
      type: "boolean",
      describe: "Change the start, dev and serve scripts, and .gitignore, without asking",
    },
    link: {
      type: "boolean",
      describe: "Add the script of package.json that calls sophia-run link, without asking",
    },
  },
  statuses: { 0: "done; the output lists the lines that are left to add" },
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

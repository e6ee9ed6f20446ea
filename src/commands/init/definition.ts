import type { CommandDefinition } from "../command.ts";

export const initCommand: CommandDefinition = {
  describe: "Start a contract for this folder, and set up the places of use",
  details: [
    "Writes sophia.contract.json from .env.example, from the ESC environment (names only; at a terminal it asks which " +
      "are required, else none is), from the variables that the code reads, or from .env (names only); without --from, " +
      "from the first of these that has any. From a .env.example that docs wrote comes the contract that it was written " +
      "from. --from builtin writes Sophia's own contract, and with others one that extends it.",
    "For existing files (package.json, pyproject.toml or requirements.txt, Dockerfile, devcontainer) the lines to add are " +
      "printed; none is overwritten. --with creates those that are missing, for npm, pnpm, Yarn or Bun: package.json's " +
      "packageManager says which, else the lock file. The Dockerfile follows package.json's start and build scripts. At a " +
      "terminal init asks for them.",
  ],
  options: {
    from: {
      type: "list",
      choices: ["builtin", "example", "esc", "code", "dotenv"],
      value: "SOURCE",
      describe: "builtin, example, esc, code or dotenv; several are joined",
    },
    with: {
      type: "list",
      choices: ["docker", "devcontainer", "actions"],
      value: "FILES",
      describe: "Also create docker, devcontainer or actions files; several with commas",
    },
    "edit-scripts": {
      type: "boolean",
      describe: "Put sophia-run in front of the start, dev and serve scripts of package.json",
    },
  },
  statuses: { 0: "done, whatever is left for you to add" },
  examples: [
    "sophia-run init",
    "sophia-run init --from builtin",
    "sophia-run init --from code --from example",
    "sophia-run init --with docker,actions",
    "sophia-run init --edit-scripts",
  ],
  load: async () => (await import("./init.ts")).init,
};

import type { CommandDefinition } from "../command.ts";

export const initCommand: CommandDefinition = {
  describe: "Start a contract for this folder, and set up the places of use",
  details: [
    "Writes sophia.contract.json from .env.example, from the ESC environment (names only; at a terminal it asks which " +
      "are required, else none is), or from the variables that the code reads; without --from, from the first of these " +
      "that has any. From a .env.example that docs wrote comes the contract that it was written from. --from builtin " +
      "writes Sophia's own contract, and with others one that extends it. Then the places of use: npm scripts, " +
      "pyproject.toml (or requirements.txt), Dockerfile, devcontainer and, in a repository with .github, a workflow. No file is overwritten: for existing " +
      "files the lines to add are printed. Missing ones are created beside a lock file, for npm, pnpm, Yarn or Bun: package.json's packageManager says which, " +
      "else the lock file.",
  ],
  options: {
    from: {
      type: "list",
      choices: ["builtin", "example", "esc", "code"],
      value: "SOURCE",
      describe: "builtin, example, esc or code; repeatable, the results are joined",
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
    "sophia-run init --edit-scripts",
  ],
  load: async () => (await import("./init.ts")).init,
};

import type { CommandDefinition } from "../command.ts";

export const initCommand: CommandDefinition = {
  describe: "Start a contract for this folder, and show the three places of use",
  details: [
    "Writes sophia.contract.json from .env.example, from the ESC environment (names only), or from the variables that " +
      "the code reads; without --from, the first of these that gives any. Then the places of use: npm scripts, " +
      "Dockerfile, devcontainer. No file is overwritten: what is missing is created, for what exists the lines to " +
      "add are printed.",
  ],
  options: {
    from: {
      type: "list",
      choices: ["example", "esc", "code"],
      value: "SOURCE",
      describe: "example, esc or code; repeatable, what they give is joined",
    },
    "edit-scripts": {
      type: "boolean",
      describe: "Put sophia-run in front of the start, dev and serve scripts of package.json",
    },
  },
  groups: ["Sources"],
  examples: ["sophia-run init", "sophia-run init --from code --from example", "sophia-run init --edit-scripts"],
  load: async () => (await import("./init.ts")).init,
};

/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const linkCommand: CommandDefinition = {
  describe: "Let npm scripts start the executable for Linux, without Node.js",
  details: [
    "The package has the executable for Linux beside the file for Node.js. link makes node_modules/.bin/sophia-run a link to " +
      "it, in the working directory and the folders above, so that a start takes 2 ms in place of 25. It is for the scripts " +
      'of a project\'s own package.json: "postinstall": "sophia-run link".',
    "Only a link into this package, and a file that pnpm has written for it, are replaced. On other systems, with " +
      "Plug'n'Play, in a read-only folder, or if the executable does not start, link does nothing, without a message; a link to an executable that does " +
      "not start becomes one to the file for Node.js. If the package was packed without an executable, one line says so.",
  ],
  options: {
    node: { type: "boolean", describe: "Put the file for Node.js back" },
    check: { type: "boolean", describe: "Show which of the two scripts start; change nothing" },
  },
  statuses: {
    0: "done, or there is nothing to link; with --check: scripts start the executable",
    1: "with --check: scripts do not start the executable",
  },
  examples: ["sophia-run link", "sophia-run link --check", "sophia-run link --node", "sophia-run link --verbose"],
  load: async () => (await import("./link.ts")).link,
};

import type { CommandDefinition } from "../command.ts";

export const docsCommand: CommandDefinition = {
  describe: "Write SECRETS.md, .env.example and env.d.ts from the contract",
  details: [
    "Without names the files are written beside the contract, env.d.ts only beside a package.json or tsconfig.json. " +
      "The name decides what is written: a new *.md gets the whole of SECRETS.md, one that was written by hand the " +
      "contract's tables, between two markers (at the end if there are none); what stands outside of the markers " +
      "stays as it is. *.d.ts gets " +
      "types for process.env; .env.example, or any other name, gets every variable with its description.",
    "With --check nothing is written: status 1 if a file differs from what would be written, or is missing. " +
      "A file that sophia-run did not write is replaced only with --force.",
  ],
  positional: { form: "[FILE…]", least: 0, most: Infinity, kind: "file" },
  options: {
    check: { type: "boolean", describe: "Only compare; status 1 if a file is out of date" },
    force: { type: "boolean", describe: "Replace files that sophia-run did not write" },
  },
  groups: ["Contract"],
  examples: ["sophia-run docs", "sophia-run docs --check", "sophia-run docs docs/SECRETS.md src/env.d.ts"],
  load: async () => (await import("./docs.ts")).docs,
};

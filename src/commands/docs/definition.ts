import type { CommandDefinition } from "../command.ts";

export const docsCommand: CommandDefinition = {
  describe: "Write SECRETS.md, .env.example and types from the contract",
  details: [
    "Without names the files are written beside the contract, env.d.ts only where there is TypeScript (a " +
      "tsconfig.json, typescript among the dependencies of package.json, or an env.d.ts already) or --types asks for it. " +
      "The name decides what is written: a new *.md gets the whole of SECRETS.md, one that was written by hand the " +
      "contract's tables, between two markers (at the end if there are none); what stands outside of the markers " +
      "stays as it is. *.d.ts gets " +
      "types for process.env, *.py a typed settings class; .env.example, or any other name, gets every variable with its " +
      "description.",
    "--types python writes settings.py, too: a dataclass that reads os.environ, or a class of pydantic-settings where " +
      "the project's dependencies name it; --types pydantic asks for that one. What is there is kept up to date from then on.",
    "With --check nothing is written. A file that sophia-run did not write is replaced only with --force; a " +
      ".env.example that was written by hand gets the variables that it lacks.",
  ],
  positional: { form: "[FILE…]", least: 0, most: Infinity, kind: "file" },
  options: {
    types: {
      type: "string",
      choices: ["typescript", "python", "pydantic"],
      value: "LANGUAGE",
      describe: "Write types for this language as well: typescript, python or pydantic",
    },
    check: { type: "boolean", describe: "Only compare" },
    force: { type: "boolean", describe: "Replace files that sophia-run did not write" },
  },
  statuses: {
    0: "the files are written, or up to date",
    1: "with --check: a file differs from what would be written, or is missing",
  },
  examples: [
    "sophia-run docs",
    "sophia-run docs --check",
    "sophia-run docs --types python",
    "sophia-run docs docs/SECRETS.md src/env.d.ts",
  ],
  load: async () => (await import("./docs.ts")).docs,
};

/** The texts of `sophia-run docs` for help and completion. The command itself, docs.ts, is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const docsCommand: CommandDefinition = {
  describe: "Write SECRETS.md, .env.example and types from the contract",
  details: [
    "The files are written to the folder of the contract unless you name others. env.d.ts is written for projects with " +
      "TypeScript (a tsconfig.json, typescript in package.json, or an existing env.d.ts) and with --types typescript.",
    "The name of a file decides its content. A new *.md is the whole of SECRETS.md. In an existing *.md only the tables " +
      "between two markers are replaced, or appended if there are no markers. A *.d.ts file has types for process.env, a *.py file has a " +
      "typed settings class. .env.example, or any other name, has each variable with its description.",
    "--types python also writes settings.py: a dataclass that reads os.environ, or a class of pydantic-settings if the " +
      "project depends on it; --types pydantic always writes the latter. Later calls update an existing settings.py.",
    "SECRETS.md and .env.example are about Pulumi ESC, too, if the contract names an environment, or, for new files, if a workflow, the environment or a .env has ESC_ENV or ESC_TOKEN; with --force existing files are decided like new ones.",
    "With --check nothing is written. A file that sophia-run did not write is replaced only with --force. A " +
      ".env.example that you wrote gets the variables that it lacks.",
  ],
  positional: { form: "[FILE…]", minCount: 0, maxCount: Infinity, kind: "file" },
  options: {
    types: {
      type: "string",
      choices: ["typescript", "python", "pydantic"],
      value: "LANGUAGE",
      describe: "Also write types for typescript, python or pydantic",
    },
    check: { type: "boolean", describe: "Write nothing; only compare the files with the contract" },
    force: { type: "boolean", describe: "Replace files that sophia-run did not write" },
  },
  statuses: {
    0: "the files are written or up to date",
    1: "with --check: a file is out of date or missing",
  },
  examples: [
    "sophia-run docs",
    "sophia-run docs --check",
    "sophia-run docs --types python",
    "sophia-run docs docs/SECRETS.md src/env.d.ts",
  ],
  load: async () => (await import("./docs.ts")).docs,
};

import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const scanCommand: CommandDefinition = {
  describe: "Find the secret values in files, in git's index or in its history",
  details: [
    "Searches for the values of all secrets, as a run would have them, and for their encoded forms: JSON, URL, base64, " +
      "shell, XML. Names the file, the line and the variable, never a value. Without a PATH: the working directory. " +
      "Files that git ignores are left out, and symbolic links are not followed, unless a PATH is one of them.",
    "Git fetches nothing for it: what a shallow or partial clone lacks, and files that cannot be read, are reported, " +
      "and the exit status is 2 if nothing is found in the rest.",
    "Secrets that are in no source of yours are found by gitleaks or secretlint, which know what tokens look like.",
  ],
  positional: { form: "[PATH…]", least: 0, most: Infinity, kind: "file" },
  options: {
    staged: { type: "boolean", describe: "Search what git's index holds, which is what the next commit will hold" },
    history: { type: "boolean", describe: "Search all commits of all branches and tags" },
    json: JSON_OPTION,
  },
  statuses: { 0: "no secret is found", 1: "one is", 2: "none is, but not everything could be searched" },
  examples: ["sophia-run scan", "sophia-run scan --staged", "sophia-run scan --history --json"],
  load: async () => (await import("./scan.ts")).scan,
};

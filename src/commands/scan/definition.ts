/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const scanCommand: CommandDefinition = {
  describe: "Search files, git's index or its history for secret values",
  details: [
    "Searches for the values of all secrets that a run would resolve, and for their encoded forms: JSON, URL, base64, " +
      "shell, XML. Prints file, line and variable, never a value. The default PATH is the working directory. Files that " +
      "git ignores are skipped and symbolic links are not followed, unless a PATH names them. Names of files and the " +
      "targets of links are searched, too.",
    "Settings of coding agents and of MCP clients are searched also where git ignores them: .mcp.json, .cursor, .vscode, " +
      ".claude and .codex in the folder. --home adds those of the home folder, and its .claude.json.",
    "--history also searches stashes, commits that only the reflog reaches, names of branches and tags, and the history " +
      "of submodules that are here.",
    "Git fetches nothing: objects that a shallow or partial clone lacks, submodules that are not here, and files that " +
      "cannot be read are reported. So is an ESC that cannot be read, whose values are then not searched for. The exit " +
      "status is then 2 if nothing is found elsewhere.",
    "To find secrets that none of your sources has, use gitleaks or secretlint, which know the formats of tokens.",
  ],
  positional: { form: "[PATH…]", minCount: 0, maxCount: Infinity, kind: "file" },
  options: {
    staged: { type: "boolean", describe: "Search git's index, which is the content of the next commit" },
    history: { type: "boolean", describe: "Search all commits of branches, tags, stashes and the reflog" },
    home: { type: "boolean", describe: "Also search the settings of agents in the home folder" },
    json: JSON_OPTION,
  },
  statuses: {
    0: "no secret found",
    1: "a secret found",
    2: "no secret found, but not everything could be searched, or for all values",
  },
  examples: ["sophia-run scan", "sophia-run scan --staged --require-esc", "sophia-run scan --history --json"],
  load: async () => (await import("./scan.ts")).scan,
};

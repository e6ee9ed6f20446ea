import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const auditCommand: CommandDefinition = {
  describe: "Show how old each secret is and what is wrong with how it is kept",
  details: [
    "By the history of the ESC environments and their imports, of which at most 200 revisions each are looked at: when " +
      "each declared secret last changed, and which ones are older than the contract's rotateEvery (90 days by default). " +
      "Beside that: role and end of the launcher's token, .env files that git tracks or that are world-readable, and, " +
      "through the gh CLI where it is there, repository secrets that are not set. Nothing is opened and nothing is " +
      "changed; the report holds no value.",
    "ESC_ADMIN_TOKEN, where it is set, sees more than a token that may only open. What the token may not see is listed, " +
      "and is no finding.",
  ],
  options: {
    strict: { type: "boolean", describe: "End with 1 if there is a finding" },
    json: JSON_OPTION,
  },
  statuses: { 0: "the report is complete", 1: "with --strict: there is a finding" },
  examples: ["sophia-run audit", "sophia-run audit --strict --json"],
  load: async () => (await import("./audit.ts")).audit,
};

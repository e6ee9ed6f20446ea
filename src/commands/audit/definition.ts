/** The texts of `sophia-run audit` for help and completion. Its code is loaded only when it runs. */
import { JSON_OPTION, type CommandDefinition } from "../command.ts";

export const auditCommand: CommandDefinition = {
  describe: "Show the age of each secret, and risks in how it is stored",
  details: [
    "Reads the last 200 revisions of each ESC environment and its imports, and shows when each declared secret last " +
      "changed. Secrets older than rotateEvery of the contract (default: 90 days) are overdue. Also checks the role and " +
      "expiry of the launcher's token, .env files that git tracks or that are world-readable, and, if the gh CLI is " +
      "installed, missing repository secrets; and whether ESC itself checks the values by the contract (sophia-run enforce). Opens and " +
      "changes no environment; the report contains no value.",
    "Uses ESC_ADMIN_TOKEN if it is set: it may see more than a token that may only open. Parts that the token may not " +
      "see are listed, but are not findings.",
  ],
  options: {
    strict: { type: "boolean", describe: "End with 1 if there is a finding" },
    json: JSON_OPTION,
  },
  statuses: {
    0: "the report is complete",
    1: "with --strict: there is a finding",
    2: "with --strict: there is none, but ESC was not read",
  },
  examples: ["sophia-run audit", "sophia-run audit --strict --json"],
  load: async () => (await import("./audit.ts")).audit,
};

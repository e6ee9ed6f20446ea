/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const requestCommand: CommandDefinition = {
  describe: "Request approval to open the ESC environment",
  details: [
    "Requests the approval with the launcher's own token, the one that will open the environment, and prints the commands for the user " +
      "who approves. That user sees the --reason.",
  ],
  options: {
    reason: {
      type: "string",
      value: "TEXT",
      describe: "The reason, for the user who approves [SOPHIA_REASON]",
    },
    in: { type: "string", value: "ENV", describe: "The environment to open (default: ESC_ENV)" },
    wait: { type: "boolean", describe: "Wait until the environment opens; files no second request" },
    "wait-limit": { type: "string", value: "TIME", describe: "The longest time to wait: 1h (default), 15m" },
  },
  statuses: {
    0: "the request is filed, or, with --wait, the environment opens",
    1: "the request was closed",
    3: "it was not approved within --wait-limit; the request stays",
  },
  examples: [
    'sophia-run request --reason "deploy of 2.4"',
    'sophia-run request --in sophia/prod --reason "repair" --wait',
  ],
  load: async () => (await import("./request.ts")).request,
};

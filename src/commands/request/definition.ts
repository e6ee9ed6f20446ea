import type { CommandDefinition } from "../command.ts";

export const requestCommand: CommandDefinition = {
  describe: "Ask for the approval to open the ESC environment",
  details: [
    "Asks with the launcher's own token, since it is the one that is to open it, and shows what somebody else has to " +
      "approve. --reason says why; whoever approves it reads that.",
  ],
  options: {
    reason: {
      type: "string",
      value: "TEXT",
      describe: "Why it is to be opened, for whoever approves it [SOPHIA_REASON]",
    },
    in: { type: "string", value: "ENV", describe: "The environment to ask for, in place of those of ESC_ENV" },
    wait: { type: "boolean", describe: "Wait until the environment opens; no second request is filed" },
    "wait-limit": { type: "string", value: "TIME", describe: "How long to wait: 1h (default), 15m" },
  },
  statuses: {
    0: "the request is filed, or, with --wait, the environment opens",
    1: "the request was closed",
    3: "nobody has approved it within --wait-limit; the request stays",
  },
  examples: [
    'sophia-run request --reason "deploy of 2.4"',
    'sophia-run request --in sophia/prod --reason "repair" --wait',
  ],
  load: async () => (await import("./request.ts")).request,
};

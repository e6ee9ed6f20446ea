/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const loginCommand: CommandDefinition = {
  describe: "Use your login of Pulumi's CLI, on this machine",
  details: [
    "From now on a start without a token of its own (ESC_TOKEN, ESC_TOKEN_FILE, ESC_TOKEN_COMMAND, OIDC) uses the token " +
      "that pulumi login has stored. login asks the service whose it is, and writes the service's URL into " +
      "~/.config/sophia-run/settings.json (XDG_CONFIG_HOME), without the token.",
    "This token is yours: it may do what you may, also write. So it is for people: it is not used if CI is set, as the " +
      "first process of a container, without a controlling terminal, or if PULUMI_BACKEND_URL is another service. No program gets it.",
  ],
  options: {
    status: { type: "boolean", describe: "Show whether the login is used here; ask nothing" },
    forget: { type: "boolean", describe: "Use the login no more" },
  },
  statuses: { 0: "done; with --status: the login is used here", 1: "with --status: no login is used here" },
  examples: ["sophia-run login", "sophia-run login --status", "sophia-run login --forget"],
  load: async () => (await import("./login.ts")).login,
};

/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const allowCommand: CommandDefinition = {
  describe: "Allow the ESC environment that this project's files name",
  details: [
    'A contract that no option names may name an ESC environment ("environment"), and so may the .env file of a repository ' +
      "(ESC_ENV). Your token opens it only once you have allowed that, for this file in this folder and this full name; another " +
      "name or revision, or the same in another place, needs another consent. A start at a terminal asks; allow is for all other places.",
    "The consents are in ~/.config/sophia-run/allowed.json (XDG_CONFIG_HOME). SOPHIA_ALLOW_ENVIRONMENT allows environments " +
      "without that file, for CI and containers: acme/sophia/dev,acme/other/*. A revision or tag must be allowed by itself: " +
      "acme/sophia/dev@12.",
    "A coding agent cannot allow anything.",
  ],
  options: {
    list: { type: "boolean", describe: "Print the consents; change nothing" },
    remove: { type: "boolean", describe: "Remove the consents for this project's files" },
  },
  statuses: { 0: "done, or there is nothing to do" },
  examples: [
    "sophia-run allow",
    "sophia-run allow --profile production",
    "sophia-run allow --list",
    "sophia-run allow --remove",
  ],
  load: async () => (await import("./allow.ts")).allow,
};

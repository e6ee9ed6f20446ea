/** The texts of the command for help and completion. Its code is loaded only when it runs. */
import type { CommandDefinition } from "../command.ts";

export const maskCommand: CommandDefinition = {
  describe: "Copy the standard input to the output, with secrets masked",
  details: [
    "Replaces the secrets of all sources by ***, in the forms that --redact finds (docs/masking.md), also values that " +
      "another source overrides, and the tokens that open ESC. All other bytes pass unchanged, as soon as they cannot " +
      "begin a secret.",
    "Values of ESC are taken from the encrypted cache if they are at most 10 minutes old (--cache-fresh), so that most calls " +
      "send no request. If ESC cannot be read, a warning says so, and the secrets of the cache, the environment and .env " +
      "files are masked; with --quiet it comes once a day, and with --require-esc nothing is passed on. The contract need not be met.",
    "If the secrets cannot be resolved, nothing is passed on (125).",
  ],
  statuses: { 0: "the whole input is passed on" },
  examples: ["kubectl logs web | sophia-run mask", "sophia-run mask --require-esc < debug.log > shared.log"],
  load: async () => (await import("./mask.ts")).mask,
};

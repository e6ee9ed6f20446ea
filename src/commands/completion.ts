import { SCRIPTS } from "../complete/scripts.ts";
import { ExitStatus } from "../error.ts";
import type { Command } from "./index.ts";

/** `sophia-run completion SHELL`: prints the script for that shell. */
export const completion: Command = async ({ positionals }, context) => {
  for (const [shell, script] of Object.entries(SCRIPTS)) if (positionals[0] === shell) context.out(script);
  return ExitStatus.ok;
};

import { SCRIPTS } from "../complete/scripts.ts";
import { ExitStatus } from "../error.ts";
import type { Command } from "./index.ts";

/** `sophia-run completion SHELL` */
export const completion: Command = ({ positionals }, context) => {
  context.out(SCRIPTS[positionals[0] ?? ""] ?? "");
  return Promise.resolve(ExitStatus.ok);
};

import { SCRIPTS } from "./scripts.ts";
import { ExitStatus } from "../../core/error.ts";
import type { Command } from "../command.ts";

/** `sophia-run completion SHELL` */
export const completion: Command = ({ positionals }, context) => {
  context.out(SCRIPTS[positionals[0] ?? ""] ?? "");
  return Promise.resolve(ExitStatus.ok);
};

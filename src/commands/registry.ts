/** The list of all subcommands. A command is added here, and its name in `command-line/command-line.ts`. */
import type { CommandName } from "../command-line/command-line.ts";
import { allowCommand } from "./allow/definition.ts";
import { auditCommand } from "./audit/definition.ts";
import { checkCommand } from "./check/definition.ts";
import type { CommandDefinition } from "./command.ts";
import { completionCommand } from "./completion/definition.ts";
import { docsCommand } from "./docs/definition.ts";
import { enforceCommand } from "./enforce/definition.ts";
import { explainCommand } from "./explain/definition.ts";
import { exportCommand } from "./export/definition.ts";
import { getCommand } from "./get/definition.ts";
import { hookCommand } from "./hook/definition.ts";
import { importCommand } from "./import/definition.ts";
import { initCommand } from "./init/definition.ts";
import { linkCommand } from "./link/definition.ts";
import { loginCommand } from "./login/definition.ts";
import { maskCommand } from "./mask/definition.ts";
import { requestCommand } from "./request/definition.ts";
import { rotateCommand } from "./rotate/definition.ts";
import { scanCommand } from "./scan/definition.ts";
import { setCommand } from "./set/definition.ts";

export const COMMANDS: Readonly<Record<CommandName, CommandDefinition>> = {
  check: checkCommand,
  explain: explainCommand,
  get: getCommand,
  export: exportCommand,
  scan: scanCommand,
  mask: maskCommand,
  hook: hookCommand,
  set: setCommand,
  import: importCommand,
  rotate: rotateCommand,
  enforce: enforceCommand,
  request: requestCommand,
  audit: auditCommand,
  docs: docsCommand,
  init: initCommand,
  allow: allowCommand,
  login: loginCommand,
  link: linkCommand,
  completion: completionCommand,
};

import { isUtf8 } from "node:buffer";
import { textsOf } from "../masking/texts.ts";
import type { Secret } from "../masking/model.ts";
import { workflowCommand } from "./workflow-command.ts";

/**
 * Returns the commands by which GitHub's runner masks secrets in the log from then on: one for each value without line
 * breaks, each line of a value, and each string in a JSON value. With `%0A` in a command, the runner would mask every line of
 * the value, such as `{`. It derives encoded forms itself (actions/runner, ValueEncoders.cs).
 */
export function maskCommands(secrets: readonly Secret[]): string {
  const texts = secrets.flatMap(({ value }) => {
    const text = typeof value === "string" ? value : isUtf8(value) ? Buffer.from(value).toString() : "";
    return [...textsOf(text).keys()].filter((one) => !/[\r\n]/.test(one));
  });
  return Array.from(new Set(texts), (text) => workflowCommand("add-mask", text)).join("");
}

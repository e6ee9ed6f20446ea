import { isUtf8 } from "node:buffer";
import { textsOf } from "../masking/texts.ts";
import type { Secret } from "../masking/model.ts";
import { workflowCommand } from "./workflow-command.ts";

/**
 * Returns commands that mask secrets in GitHub's log: each line of a value, and each string in a JSON value. With `%0A`
 * the runner would mask every line, such as `{`. It derives encoded forms itself (actions/runner, ValueEncoders.cs).
 */
export function maskCommands(secrets: readonly Secret[]): string {
  const texts = secrets.flatMap(({ value }) => {
    const text = typeof value === "string" ? value : isUtf8(value) ? Buffer.from(value).toString() : "";
    return [...textsOf(text).keys()].filter((one) => !/[\r\n]/.test(one));
  });
  return Array.from(new Set(texts), (text) => workflowCommand("add-mask", text)).join("");
}

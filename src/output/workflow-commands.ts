/** Commands to GitHub's runner, which are lines of output (actions/runner, ActionCommand.cs). */
import { isUtf8 } from "node:buffer";
import { textsOf } from "../masking/texts.ts";
import type { Secret } from "../masking/masking-model.ts";

/** Returns a command as a line. */
export function workflowCommand(
  command: string,
  data: string,
  properties: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const given = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escaped(String(value)).replaceAll(":", "%3A").replaceAll(",", "%2C")}`],
  );
  return `::${command}${given.length === 0 ? "" : ` ${given.join(",")}`}::${escaped(data)}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

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

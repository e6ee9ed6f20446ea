/**
 * Writes commands for GitHub's runner, which are lines of the output (actions/runner, ActionCommand.cs):
 *
 *     ::error file=app.ts,line=7::the message
 */
import { isUtf8 } from "node:buffer";
import { listMaskedTexts } from "../masking/texts.ts";
import type { Secret } from "../masking/masking-model.ts";

/** Returns the line of a command, with its line end. Undefined properties are left out. */
export function createWorkflowCommand(
  command: string,
  data: string,
  properties: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const propertyTexts = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escapeData(String(value)).replaceAll(":", "%3A").replaceAll(",", "%2C")}`],
  );
  const propertyList = propertyTexts.length === 0 ? "" : ` ${propertyTexts.join(",")}`;
  return `::${command}${propertyList}::${escapeData(data)}\n`;
}

/** Escapes what would end the line. The runner unescapes it. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/**
 * Returns commands that mask secrets in GitHub's log. Each line of a value has a command of its own, and so has each string in a JSON
 * value. Texts with line ends (`%0A`) have none, because the runner would mask each of their lines, such as `{`. The runner itself
 * derives the encoded forms of a value (actions/runner, ValueEncoders.cs).
 */
export function createMaskCommands(secrets: readonly Secret[]): string {
  const texts = secrets.flatMap(({ value }) => {
    const text = typeof value === "string" ? value : isUtf8(value) ? Buffer.from(value).toString() : "";
    return [...listMaskedTexts(text).keys()].filter((part) => !/[\r\n]/.test(part));
  });
  return Array.from(new Set(texts), (text) => createWorkflowCommand("add-mask", text)).join("");
}

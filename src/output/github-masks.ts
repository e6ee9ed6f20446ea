import { isUtf8 } from "node:buffer";
import { patternsOf } from "../masking/patterns.ts";
import type { Secret } from "../masking/model.ts";
import { workflowCommand } from "./workflow-command.ts";

/**
 * Commands by which GitHub's runner masks secrets in the log from then on: one for each line and form that it does not
 * derive itself from another one. Each is a line: of a value with `%0A` in it the runner would mask every line, `{` too.
 * They must reach the runner before the values can.
 */
export function maskCommands(secrets: readonly Secret[]): string {
  const forms = Array.from(patternsOf(secrets), ([bytes, { encoding }]) => ({
    bytes: Buffer.from(bytes, "latin1"),
    isPlain: encoding === "plain",
  }))
    // A piece of a long value may begin or end within a character.
    .filter(({ bytes }) => isUtf8(bytes))
    .map(({ bytes, isPlain }) => ({ text: bytes.toString(), isPlain }))
    .filter(({ text }) => !/[\r\n]/.test(text));
  const plain = forms.filter(({ isPlain }) => isPlain).map(({ text }) => text);
  const derived = new Set(plain.flatMap(derivedByRunner));
  const others = forms.filter(({ isPlain, text }) => !isPlain && !derived.has(text)).map(({ text }) => text);
  return Array.from(new Set([...plain, ...others]), (text) => workflowCommand("add-mask", text)).join("");
}

/** What the runner masks besides a value (actions/runner, ValueEncoders.cs, as HostContext.cs registers them). */
function derivedByRunner(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [
    ...[0, 1, 2].map((shift) => bytes.subarray(bytes.length > shift ? shift : 0).toString("base64")),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value).replaceAll(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
    value.replaceAll(/[&<>"']/g, (character) => XML[character] ?? character),
    value.replaceAll("'", "''"),
    value.replaceAll('"', String.raw`\"`),
  ];
}

const XML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

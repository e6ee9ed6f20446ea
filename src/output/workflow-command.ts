/** Returns a command to GitHub's runner, a line of output (actions/runner, ActionCommand.cs). */
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

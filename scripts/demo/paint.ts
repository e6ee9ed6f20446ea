/** Colours text on a terminal; returns it unchanged elsewhere. */
type Style = "heading" | "command" | "aside" | "launcher" | "good" | "bad";

export type Paint = (style: Style, text: string) => string;

/** SGR parameters (ECMA-48). */
const PARAMETERS: Readonly<Record<Style, string>> = {
  heading: "1",
  command: "1;36",
  aside: "2",
  launcher: "33",
  good: "32",
  bad: "1;31",
};

/**
 * Returns colours for a terminal, unless `NO_COLOR` is set and not empty (no-color.org) or the terminal has no escape sequences
 * (`TERM=dumb`).
 */
export function makePaint(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): Paint {
  const refused = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  if (!isTerminal || refused) return (_, text) => text;
  return (style, text) => `\u001B[${PARAMETERS[style]}m${text}\u001B[0m`;
}

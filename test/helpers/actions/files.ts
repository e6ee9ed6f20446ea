/** Reads the files in which a step sets variables and outputs, as actions/runner does on Linux (FileCommandManager.cs). */

/**
 * `GITHUB_ENV` or `GITHUB_OUTPUT`: only LF ends a line, a value ends at the first line that is the delimiter.
 *
 * @throws Error for anything that is neither form
 */
export function readPairs(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    const heredoc = line.indexOf("<<");
    const equals = line.indexOf("=");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      found.set(line.slice(0, equals), line.slice(equals + 1));
      continue;
    }
    if (heredoc <= 0 || heredoc + 2 === line.length) throw new Error(`invalid format, line ${at + 1}`);
    const end = lines.indexOf(line.slice(heredoc + 2), at + 1);
    if (end === -1) throw new Error("matching delimiter not found");
    found.set(line.slice(0, heredoc), lines.slice(at + 1, end).join("\n"));
    at = end;
  }
  return found;
}

/** What the runner lets nobody set by `GITHUB_ENV`, in any case. */
export function isBlocked(name: string): boolean {
  return name.toUpperCase() === "NODE_OPTIONS";
}

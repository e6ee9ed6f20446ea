import type { Diagnostic } from "./model.ts";

/** Formats a diagnostic as compilers do: `sophia/dev:3:7: unknown property (values.a)`. Its texts are printable already. */
export function formatDiagnostic({ environment, line, column, summary, path, severity }: Diagnostic): string {
  const place = [environment, line, line === undefined ? undefined : column].filter((part) => part !== undefined);
  return [
    place.length === 0 ? "" : `${place.join(":")}: `,
    severity === "warning" ? "warning: " : "",
    summary,
    path === undefined ? "" : ` (${path})`,
  ].join("");
}

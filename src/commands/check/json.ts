import { jsonText } from "../../core/json-text.ts";
import { escForPrograms } from "../../output/esc-report.ts";
import type { Report } from "../../output/report.ts";
import type { Beside } from "./text.ts";

/**
 * The report for programs, with a version that changes when a field loses its meaning. It has no masked ends of values: no
 * part of a value stands in it.
 */
export function json(report: Report, { tracked, ages, gates, parts }: Beside): string {
  const { esc, sections } = report;
  return jsonText({
    version: 1,
    met: report.met,
    contract: report.contract,
    esc: escForPrograms(esc),
    sources: report.sources,
    sections: sections.map(({ title, lines }) => ({
      title,
      // No spread: `shown` is for people.
      lines: lines.map(({ label, state, name, origin, withheld }) => ({ label, state, name, origin, withheld })),
    })),
    variables: report.variables,
    overridden: report.overridden,
    violations: report.violations,
    notices: report.notices,
    tracked,
    gates,
    // The newest revision of each ESC environment whose history the token may see.
    revisions: ages.map(({ environment, revision: { number, created, by } }) => ({
      environment,
      revision: number,
      created: created.toISOString(),
      by: by === "" ? null : by,
    })),
    ...Object.assign({}, ...parts.map(({ fields }) => fields)),
  });
}

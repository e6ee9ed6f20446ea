/** The report of `check` as JSON, without any part of a value. */
import { formatJson } from "../../core/json-text.ts";
import { createEscJson } from "../../output/esc-report.ts";
import type { Report } from "../../output/report.ts";
import type { EnvironmentAge } from "./environments.ts";
import type { ReportExtras } from "./check-text.ts";

/** Returns the report as JSON. Its version changes if a field changes its meaning. */
export function reportJson(report: Report, { trackedFiles, ages, gates, checks }: ReportExtras): string {
  return formatJson({
    version: 1,
    met: report.met,
    contract: report.contract,
    esc: createEscJson(report.esc),
    sources: report.sources,
    nothingRequired: report.nothingRequired,
    sections: report.sections.map(({ title, lines }) => ({
      title,
      // The fields are named one by one, since `shown` may be a part of a value.
      lines: lines.map(({ label, state, name, origin, withheld }) => ({ label, state, name, origin, withheld })),
    })),
    variables: report.variables,
    overridden: report.overridden,
    credentials: report.credentials,
    violations: report.violations,
    notices: report.notices,
    tracked: trackedFiles,
    gates,
    revisions: ages.map(revisionJson),
    ...Object.assign({}, ...checks.map(({ fields }) => fields)),
  });
}

function revisionJson({ environment, revision: { number, created, by } }: EnvironmentAge): object {
  return { environment, revision: number, created: created.toISOString(), by: by === "" ? null : by };
}

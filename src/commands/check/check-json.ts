/**
 * Writes the report of `sophia-run check --json`. The report contains no part of a value. check-text.ts writes the same
 * report for people.
 */
import { formatJson } from "../../core/json-text.ts";
import { createEscJson } from "../../output/esc-report.ts";
import type { Report } from "../../output/report.ts";
import type { EnvironmentAge } from "./environments.ts";
import type { ReportExtras } from "./check-text.ts";

/** Returns the report as JSON. The `version` changes if a field changes its meaning. */
export function formatReportJson(report: Report, extras: ReportExtras): string {
  const { trackedFiles, environmentAges, environmentGates, extraChecks } = extras;
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
    gates: environmentGates,
    revisions: environmentAges.map(createRevisionJson),
    ...Object.assign({}, ...extraChecks.map(({ fields }) => fields)),
  });
}

function createRevisionJson({ environment, revision: { number, created, by } }: EnvironmentAge): object {
  return { environment, revision: number, created: created.toISOString(), by: by === "" ? null : by };
}

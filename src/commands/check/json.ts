import { escForPrograms, type Report } from "../../output/report.ts";

/**
 * The report for programs, with a version that changes when a field loses its meaning. Masked ends of values are
 * left out: nothing of a value stands in it.
 */
export function json(report: Report): string {
  const { esc, sections } = report;
  return `${JSON.stringify(
    {
      version: 1,
      met: report.met,
      contract: report.contract,
      esc: escForPrograms(esc),
      sources: report.sources,
      sections: sections.map(({ title, lines }) => ({
        title,
        lines: lines.map(({ label, state, name }) => ({ label, state, ...(name === undefined ? {} : { name }) })),
      })),
      variables: report.variables,
      violations: report.violations,
      notices: report.notices,
    },
    undefined,
    2,
  )}\n`;
}

/** `check --aws-refresh`: which AWS credentials a start would renew, and what the program would get in their place. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { enumerate, printable } from "../../core/text.ts";
import type { Start } from "../../resolve/start.ts";
import { type AwsReport, reportAws } from "../parts/aws/aws-report.ts";
import { configWithCredentials } from "../run/aws/config-profile.ts";
import type { ExtraCheck } from "./check-text.ts";

export async function checkAws(start: Start, settings: Settings, { environment }: Context): Promise<ExtraCheck> {
  const report = reportAws(start, settings);
  const profile = report.kind === "renewed" ? await configWithCredentials(environment) : undefined;
  return {
    section: ["--- AWS credentials ---", ...linesOf(report), ...(profile === undefined ? [] : profileLines(profile))],
    failures: report.kind === "refused" ? ["AWS credentials cannot be renewed, see AWS credentials"] : [],
    fields: { aws: report },
  };
}

function linesOf(report: AwsReport): readonly string[] {
  switch (report.kind) {
    case "nothing":
      return [`➖ --aws-refresh has no effect: ${report.why}`];
    case "refused":
      return [`❌ ${report.problem}`, `   ${report.remedy}`];
    case "renewed": {
      const { variables, from, expiresAt, by, renewsAt, set, withheld } = report;
      const why = by === "session" ? "the end of the session" : by;
      return [
        `✅ ${enumerate(variables)}: ${from}`,
        `   expire at ${expiresAt} (${why}), renewed at ${renewsAt}`,
        `   the program gets ${enumerate(set)} in their place`,
        ...(withheld.length === 0 ? [] : [`➖ Withheld: ${withheld.join(", ")}`]),
      ];
    }
  }
}

function profileLines(path: string): readonly string[] {
  return [
    `⚠️ The default profile of ${printable(path)} has credentials, which some SDKs use in place of ESC's`,
    "   name a file without it in AWS_CONFIG_FILE",
  ];
}

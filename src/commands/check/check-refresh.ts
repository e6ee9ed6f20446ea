/** `check --refresh`: what a start would renew, and what the program would get in its place. */
import type { Context } from "../../core/context.ts";
import { enumerate, printable } from "../../core/text.ts";
import {
  describeExpirySource,
  type RefreshReport,
  type RenewalReport,
  type RenewedKind,
} from "../parts/refresh/refresh-report.ts";
import { configWithCredentials } from "../run/refresh/config-profile.ts";
import type { ExtraCheck } from "./check-text.ts";

const TITLES: Readonly<Record<RenewedKind, string>> = {
  aws: "AWS credentials",
  google: "Google Cloud credentials",
  azure: "Azure credentials",
  files: "Files of ESC",
};

export async function checkRefresh(
  { scope, parts, warnings }: RefreshReport,
  { environment }: Context,
): Promise<ExtraCheck> {
  const profile = parts.get("aws")?.kind === "renewed" ? await configWithCredentials(environment) : undefined;
  const shown = Array.from(parts).filter(([, { kind }]) => kind !== "nothing" || parts.size === 1);
  const isAws = scope.option === "--aws-refresh";
  const title = isAws ? TITLES.aws : "Renewed while the program runs";
  const lines = shown.flatMap(([kind, report]) => {
    return linesOf(report, isAws ? "" : `${TITLES[kind]}: `, scope.option);
  });
  const refused = shown.filter(([, { kind }]) => kind === "refused");
  return {
    section: [
      `--- ${title} ---`,
      ...(lines.length === 0
        ? [`➖ ${scope.option} has no effect: ESC gives neither credentials that expire nor files`]
        : lines),
      ...(profile === undefined ? [] : profileLines(profile)),
      ...warnings.flatMap(([first, ...rest]) => [
        `⚠️ ${first.replace(/^warning: /, "")}`,
        ...rest.map((line) => `   ${line}`),
      ]),
    ],
    failures: refused.map(([kind]) => `${TITLES[kind]} cannot be renewed, see ${title}`),
    fields: { refresh: Object.fromEntries(parts) },
  };
}

function linesOf(report: RenewalReport, words: string, option: string): readonly string[] {
  switch (report.kind) {
    case "nothing":
      return [`➖ ${option} has no effect: ${report.why}`];
    case "refused":
      return [`❌ ${report.problem}`, `   ${report.remedy}`];
    case "renewed": {
      const { variables, from, expiresAt, by, renewsAt, set, withheld } = report;
      return [
        `✅ ${words}${enumerate(variables)}: ${from}`,
        `   expire at ${expiresAt} (${describeExpirySource(by)}), renewed at ${renewsAt}`,
        ...(set.length === 0 ? [] : [`   the program gets ${enumerate(set)} in their place`]),
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

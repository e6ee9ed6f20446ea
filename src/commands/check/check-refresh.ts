/**
 * `check --refresh` and `check --aws-refresh`: reports which credentials and files a start would renew while the program
 * runs, and which variables the program would get in their place. Nothing is renewed.
 */
import type { Context } from "../../core/context.ts";
import { enumerate, printable } from "../../core/text.ts";
import { describeExpirySource, type RefreshReport, type RenewalReport } from "../parts/refresh/refresh-report.ts";
import type { RenewedKind } from "../run/refresh/cloud-credentials.ts";
import { findConfigWithCredentials } from "../run/refresh/config-profile.ts";
import type { ExtraCheck } from "./extra-check.ts";

const TITLES: Readonly<Record<RenewedKind, string>> = {
  aws: "AWS credentials",
  google: "Google Cloud credentials",
  azure: "Azure credentials",
  files: "Files of ESC",
};

/** The check fails if a start could not renew something that the user or the contract wants renewed. */
export async function checkRefresh(
  { scope: { option }, reportsByKind, warnings }: RefreshReport,
  { environment }: Context,
): Promise<ExtraCheck> {
  // A kind that ESC does not give is shown only if the user asked for this kind alone.
  const shownParts = Array.from(reportsByKind).filter(([, { kind }]) => kind !== "nothing" || reportsByKind.size === 1);
  const isOnlyAws = option === "--aws-refresh";
  const title = isOnlyAws ? TITLES.aws : "Renewed while the program runs";
  const partLines = shownParts.flatMap(([kind, report]) =>
    createRenewalLines(report, isOnlyAws ? "" : `${TITLES[kind]}: `, option),
  );
  const refusedParts = shownParts.filter(([, { kind }]) => kind === "refused");
  const renewsAws = reportsByKind.get("aws")?.kind === "renewed";
  return {
    section: [
      `--- ${title} ---`,
      ...(partLines.length === 0
        ? [`➖ ${option} has no effect: ESC gives neither credentials that expire nor files`]
        : partLines),
      ...(renewsAws ? await createAwsProfileLines(environment) : []),
      ...warnings.flatMap(warningLines),
    ],
    failures: refusedParts.map(([kind]) => `${TITLES[kind]} cannot be renewed, see ${title}`),
    fields: { refresh: Object.fromEntries(reportsByKind) },
  };
}

/** @param prefix the title of the kind and a colon, in a report about several kinds; otherwise empty */
function createRenewalLines(report: RenewalReport, prefix: string, option: string): readonly string[] {
  switch (report.kind) {
    case "nothing":
      return [`➖ ${option} has no effect: ${report.why}`];
    case "refused":
      return [`❌ ${report.problem}`, `   ${report.remedy}`];
    case "renewed": {
      const { variables, from, expiresAt, by, renewsAt, set, withheld } = report;
      return [
        `✅ ${prefix}${enumerate(variables)}: ${from}`,
        `   expire at ${expiresAt} (${describeExpirySource(by)}), renewed at ${renewsAt}`,
        ...(set.length === 0 ? [] : [`   the program gets ${enumerate(set)} in their place`]),
        ...(withheld.length === 0 ? [] : [`➖ Withheld: ${withheld.join(", ")}`]),
      ];
    }
  }
}

/**
 * Warns of credentials in the user's own AWS configuration: some SDKs look there first, and would not use the renewed ones.
 */
async function createAwsProfileLines(environment: Context["environment"]): Promise<readonly string[]> {
  const path = await findConfigWithCredentials(environment);
  if (path === undefined) return [];
  return [
    `⚠️ The default profile of ${printable(path)} has credentials, which some SDKs use in place of ESC's`,
    "   name a file without it in AWS_CONFIG_FILE",
  ];
}

/**
 * Returns the lines of a warning. A start prints the same text after the word `warning: `, which the mark replaces here.
 */
function warningLines([headline, ...details]: RefreshReport["warnings"][number]): readonly string[] {
  return [`⚠️ ${headline.replace(/^warning: /, "")}`, ...details.map((line) => `   ${line}`)];
}

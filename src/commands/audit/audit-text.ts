/** Writes the report of `audit`, for people and as JSON. It contains no value. */
import { formatDay } from "../../core/day.ts";
import { formatJson } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count, printable } from "../../core/text.ts";
import { MAX_REVISIONS } from "../../esc/api/definition-requests.ts";
import { OPEN_ROLE, type TokenFacts } from "../../esc/api/tokens.ts";
import { type ContractReport, createReportTitle } from "../../output/report.ts";
import { createAgeJson, describeSecretAge } from "./age-text.ts";
import type { SecretAge } from "./ages.ts";
import { describeSchemaState, type SchemaReport } from "./audit-schema.ts";
import type { TokenReport } from "./audit-token.ts";
import { describeFinding } from "./finding-text.ts";
import type { Finding } from "./findings.ts";

const INDENT = "   ";

/** Everything that `audit` reports. */
export interface AuditReport {
  readonly contract: ContractReport;
  readonly ages: readonly SecretAge[];
  /** False if ESC was not read, so that all ages are unknown. */
  readonly isEscRead: boolean;
  readonly schemas: readonly SchemaReport[];
  readonly token: TokenReport;
  readonly findings: readonly Finding[];
  /** Descriptions of what could not be checked, except for the facts about the token. */
  readonly unseen: readonly string[];
}

/** Returns the report as JSON. Its version changes if a field changes its meaning. */
export function createAuditJson({ contract, ages, schemas, token, findings, unseen }: AuditReport): string {
  const unseenOfToken = token.kind === "unseen" ? ["role and expiry of the token: not visible to this token"] : [];
  return formatJson({
    version: 1,
    contract,
    secrets: ages.map(createAgeJson),
    schemas,
    token,
    findings: findings.map((finding) => ({ ...finding, ...describeFinding(finding) })),
    unseen: [...unseen, ...unseenOfToken],
  });
}

/** Returns the report for people. */
export function describeAudit(report: AuditReport, now: Date): readonly Line[] {
  const { contract, ages, isEscRead, schemas, token, findings, unseen } = report;
  // A secret is "unchanged" if no revision that was read has changed it, so that there may be earlier revisions.
  const isHistoryCut = isEscRead && ages.some(({ change }) => change?.kind === "unchanged");
  // The section about ages shows overdue secrets, and the summary has the command for each.
  const otherFindings = findings.filter(({ kind }) => kind !== "overdue");
  const unseenCount = unseen.length + (token.kind === "unseen" ? 1 : 0);
  const sections: readonly (readonly Line[])[] = [
    ["--- Secrets in ESC ---", ...describeAges(report, now)],
    ...(isHistoryCut ? [[`Only the last ${MAX_REVISIONS} revisions of each environment were read.`]] : []),
    ...(schemas.length === 0 ? [] : [["--- Contract in ESC ---", ...schemas.map(describeSchemaState)]]),
    ["--- Token ---", describeToken(token, now)],
    ...(otherFindings.length === 0
      ? []
      : [["--- Files, token and repository ---", ...otherFindings.flatMap(describeFindingWithRemedy)]]),
    ...(unseen.length === 0 ? [] : [["--- Not visible ---", ...unseen.map((description) => `➖ ${description}`)]]),
    ["--- Summary ---", ...describeSummary(findings, unseenCount)],
  ];
  return [createReportTitle("audit", contract), ...sections.flatMap((lines) => ["", ...lines])];
}

function describeAges({ ages, isEscRead }: AuditReport, now: Date): readonly Line[] {
  if (!isEscRead) return ["➖ Not read"];
  return ages.length === 0 ? ["➖ The contract declares no secret"] : ages.map((age) => describeSecretAge(age, now));
}

function describeToken(token: TokenReport, now: Date): string {
  switch (token.kind) {
    case "none":
      return "➖ No token is configured";
    case "unasked":
      return "➖ Not asked: ESC is not read";
    case "exchanged":
      return "✅ Each run exchanges an ID token for a new one";
    case "unseen":
      return "➖ Its role and expiry are not visible to this token";
    case "known": {
      const mark = token.role === OPEN_ROLE ? "✅" : "➖";
      return `${mark} ${printable(token.name)}: ${describeRole(token)}, ${describeExpiry(token.expires, now)}`;
    }
  }
}

/** The list of tokens has the name of a custom role, but not what the role permits. */
function describeRole({ role, roleName }: TokenFacts): string {
  if (role !== undefined) return `role ${printable(role)}`;
  return roleName === undefined ? "role unknown" : `custom role ${printable(roleName)}, which audit does not examine`;
}

/** Describes when a token expires. Undefined stands for a token that never does. */
function describeExpiry(expires: Date | undefined, now: Date): string {
  if (expires === undefined) return "never expires";
  return `${expires <= now ? "expired" : "expires"} on ${formatDay(expires)}`;
}

function describeFindingWithRemedy(finding: Finding): readonly Line[] {
  const { message, remedy } = describeFinding(finding);
  return [`⚠️ ${message}`, { text: INDENT + remedy, hangingIndent: INDENT.length }];
}

function describeSummary(findings: readonly Finding[], unseenCount: number): readonly Line[] {
  const overdue = findings.filter(({ kind }) => kind === "overdue");
  return [
    describeFindingCount(findings.length, unseenCount),
    ...overdue.map((finding) => ({ text: `${INDENT}${describeFinding(finding).remedy}`, neverWraps: true })),
    ...(unseenCount === 0 ? [] : [`➖ ${count(unseenCount, "thing")} could not be checked`]),
  ];
}

function describeFindingCount(findingCount: number, unseenCount: number): string {
  if (findingCount > 0) return `❌ ${count(findingCount, "finding")}`;
  return unseenCount > 0 ? "⚠️ No findings in what could be checked" : "✅ No findings";
}

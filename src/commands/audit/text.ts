/** The audit as people read it; pure. */
import { day } from "../../core/day.ts";
import { wrap } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import { MOST_REVISIONS } from "../../esc/api/revisions.ts";
import { OPEN_ROLE } from "../../esc/api/tokens.ts";
import { ageLine } from "./age-words.ts";
import type { SecretAge } from "./ages.ts";
import { type Finding, wordFinding } from "./findings.ts";
import type { TokenReport } from "./token.ts";

const WIDTH = 80;
const INDENT = "   ";

export interface Audit {
  readonly ages: readonly SecretAge[];
  readonly token: TokenReport;
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
}

export function auditText({ ages, token, findings, unseen }: Audit, now: Date): string {
  const isCut = ages.some(({ change }) => change?.kind === "unchanged");
  const others = findings.filter(({ kind }) => kind !== "overdue");
  const sections = [
    ["--- Secrets in ESC ---", ...ages.map((age) => ageLine(age, now))],
    ...(isCut ? [[`Of each environment the last ${MOST_REVISIONS} revisions were looked at.`]] : []),
    ["--- Token ---", tokenLine(token, now)],
    ...(others.length === 0 ? [] : [["--- Files, token and repository ---", ...others.flatMap(findingLines)]]),
    ...(unseen.length === 0
      ? []
      : [["--- Not visible ---", ...unseen.flatMap((what) => wrap(`➖ ${what}`, WIDTH, INDENT))]]),
    ["--- Summary ---", ...summary(findings, unseen)],
  ];
  return ["=== Sophia Secret Audit ===", ...sections.flatMap((lines) => ["", ...lines]), ""].join("\n");
}

function tokenLine(token: TokenReport, now: Date): string {
  switch (token.kind) {
    case "none":
      return "➖ No token is configured";
    case "exchanged":
      return "✅ Exchanged anew for each run";
    case "unseen":
      return "➖ Its role and end are not visible to this token";
    case "known": {
      const { name, role, expires } = token;
      const end = expires === undefined ? "has no end" : `ends on ${day(expires)}${expires <= now ? " (over)" : ""}`;
      return `${role === OPEN_ROLE ? "✅" : "➖"} ${name}: ${role === undefined ? "role unknown" : `role ${role}`}, ${end}`;
    }
  }
}

function findingLines(finding: Finding): readonly string[] {
  const { message, remedy } = wordFinding(finding);
  return [...wrap(`⚠️ ${message}`, WIDTH, INDENT), INDENT + remedy];
}

function summary(findings: readonly Finding[], unseen: readonly string[]): readonly string[] {
  const overdue = findings.filter(({ kind }) => kind === "overdue");
  return [
    findings.length === 0 ? "✅ No findings" : `❌ ${count(findings.length, "finding")}`,
    ...overdue.map((finding) => `${INDENT}${wordFinding(finding).remedy}`),
    ...(unseen.length === 0 ? [] : [`➖ ${count(unseen.length, "thing")} could not be looked at`]),
  ];
}

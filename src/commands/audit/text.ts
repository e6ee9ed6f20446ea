/** The audit as people read it; pure. */
import { day } from "../../core/day.ts";
import type { Line } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import { MOST_REVISIONS } from "../../esc/api/definition.ts";
import { OPEN_ROLE } from "../../esc/api/tokens.ts";
import { ageLine, type SecretAge } from "./ages.ts";
import { type Finding, wordFinding } from "./findings.ts";
import type { TokenReport } from "./token.ts";

const INDENT = "   ";

interface Audit {
  readonly ages: readonly SecretAge[];
  readonly token: TokenReport;
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
}

export function auditText({ ages, token, findings, unseen }: Audit, now: Date): readonly Line[] {
  const isCut = ages.some(({ change }) => change?.kind === "unchanged");
  const others = findings.filter(({ kind }) => kind !== "overdue");
  const sections: readonly (readonly Line[])[] = [
    ["--- Secrets in ESC ---", ...ages.map((age) => ageLine(age, now))],
    ...(isCut ? [[`Of each environment the last ${MOST_REVISIONS} revisions were looked at.`]] : []),
    ["--- Token ---", tokenLine(token, now)],
    ...(others.length === 0 ? [] : [["--- Files, token and repository ---", ...others.flatMap(findingLines)]]),
    ...(unseen.length === 0 ? [] : [["--- Not visible ---", ...unseen.map((what) => `➖ ${what}`)]]),
    ["--- Summary ---", ...summary(findings, unseen.length + (token.kind === "unseen" ? 1 : 0))],
  ];
  return ["=== Sophia Secret Audit ===", ...sections.flatMap((lines) => ["", ...lines])];
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

function findingLines(finding: Finding): readonly Line[] {
  const { message, remedy } = wordFinding(finding);
  return [`⚠️ ${message}`, { text: INDENT + remedy, hang: INDENT.length }];
}

function summary(findings: readonly Finding[], unseen: number): readonly Line[] {
  const overdue = findings.filter(({ kind }) => kind === "overdue");
  return [
    findings.length === 0 ? "✅ No findings" : `❌ ${count(findings.length, "finding")}`,
    ...overdue.map((finding) => ({ text: `${INDENT}${wordFinding(finding).remedy}`, whole: true })),
    ...(unseen === 0 ? [] : [`➖ ${count(unseen, "thing")} could not be looked at`]),
  ];
}

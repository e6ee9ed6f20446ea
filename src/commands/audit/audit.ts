import { resolveSettings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import { formatDay } from "../../core/day.ts";
import { ExitStatus } from "../../core/error.ts";
import { jsonText } from "../../core/json-text.ts";
import type { Line } from "../../core/lines.ts";
import { count } from "../../core/text.ts";
import { MAX_REVISIONS } from "../../esc/api/definition-requests.ts";
import { OPEN_ROLE } from "../../esc/api/tokens.ts";
import { printReport } from "../../output/colour.ts";
import { makeProgress } from "../../output/progress.ts";
import { type ContractReport, reportContract, reportTitle } from "../../output/report.ts";
import { printNotices } from "../../output/print-notices.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import type { Command } from "../command.ts";
import {
  ageForPrograms,
  ageLine,
  type IsSecret,
  type SecretAge,
  secretAges,
  type SecretAudit,
  unknownAges,
  unseenOf,
} from "./ages.ts";
import { auditFiles, auditRepository, type Finding, tokenFindings, wordFinding } from "./findings.ts";
import { auditToken, historyAccess, type TokenReport, unreadWords } from "./audit-token.ts";
import { auditSchemas, schemaLine, type SchemaReport } from "./audit-schema.ts";
import { auditValues, type ValueAudit } from "./audit-values.ts";

export const audit: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const now = new Date();
  const contract = await loadContract(settings, context);
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  printNotices(context, settings, dotenv.notices);
  const access = await historyAccess(settings, contract, dotenv, context);
  printNotices(context, settings, access.unallowed);
  const progress = await makeProgress(context, settings);
  const agesOf = (isSecret?: IsSecret): Promise<SecretAudit> | SecretAudit =>
    access.reader.kind === "on"
      ? secretAges(contract, access.reader.settings, progress, now, isSecret)
      : unknownAges(contract, isSecret);
  const agesByValue = async ({ names }: ValueAudit): Promise<readonly SecretAge[]> =>
    names.size === 0 ? [] : (await agesOf(({ name }) => names.has(name))).ages;
  const auditing = auditValues(contract, access.reader, dotenv.layers, context.environment, progress);
  const [declared, byValue, values, token, files, repository] = await Promise.all([
    agesOf(),
    auditing.then(agesByValue),
    auditing,
    auditToken(access, progress),
    auditFiles(settings, contract, dotenv, context),
    auditRepository(contract, context),
  ]).finally(progress.done);
  const ages = [...declared.ages, ...byValue];
  const schemas = auditSchemas(contract, declared.definitions, values.files);
  const overdue = ages.flatMap(({ name, overdue: isOver, due }) =>
    isOver === true && due !== undefined ? [{ kind: "overdue", name, due } as const] : [],
  );
  const outdated = schemas.flatMap(({ state, environment }) =>
    state === "differs" ? [{ kind: "schema-differs", environment } as const] : [],
  );
  const findings = [
    ...overdue,
    ...tokenFindings(token, now),
    ...outdated,
    ...values.findings,
    ...files,
    ...repository.findings,
  ];
  const inEsc = access.reader.kind === "on" ? unseenOf(ages) : [unreadWords(access.reader)];
  const unseen = [...inEsc, ...values.unseen, ...repository.unseen];
  if (options["json"] === true) {
    const ofToken = token.kind === "unseen" ? ["role and expiry of the token: not visible to this token"] : [];
    const report = {
      version: 1,
      contract: reportContract(contract),
      secrets: ages.map(ageForPrograms),
      schemas,
      token,
      findings: findings.map((finding) => ({ ...finding, ...wordFinding(finding) })),
      unseen: [...unseen, ...ofToken],
    };
    context.out(jsonText(report));
  } else {
    const read = access.reader.kind === "on" ? ages : undefined;
    const parts = { contract: reportContract(contract), ages: read, schemas, token, findings, unseen };
    printReport(context, auditText(parts, now));
  }
  if (options["strict"] !== true) return ExitStatus.ok;
  if (findings.length > 0) return ExitStatus.unmet;
  return access.reader.kind === "on" ? ExitStatus.ok : ExitStatus.incomplete;
};

const INDENT = "   ";

interface Audit {
  readonly contract: ContractReport;
  /** Undefined if ESC was not read. */
  readonly ages: readonly SecretAge[] | undefined;
  readonly schemas: readonly SchemaReport[];
  readonly token: TokenReport;
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
}

function auditText({ contract, ages, schemas, token, findings, unseen }: Audit, now: Date): readonly Line[] {
  const isCut = ages?.some(({ change }) => change?.kind === "unchanged");
  const others = findings.filter(({ kind }) => kind !== "overdue");
  const sections: readonly (readonly Line[])[] = [
    ["--- Secrets in ESC ---", ...ageLines(ages, now)],
    ...(isCut === true ? [[`Only the last ${MAX_REVISIONS} revisions of each environment were read.`]] : []),
    ...(schemas.length === 0 ? [] : [["--- Contract in ESC ---", ...schemas.map(schemaLine)]]),
    ["--- Token ---", tokenLine(token, now)],
    ...(others.length === 0 ? [] : [["--- Files, token and repository ---", ...others.flatMap(findingLines)]]),
    ...(unseen.length === 0 ? [] : [["--- Not visible ---", ...unseen.map((what) => `➖ ${what}`)]]),
    ["--- Summary ---", ...summary(findings, unseen.length + (token.kind === "unseen" ? 1 : 0))],
  ];
  return [reportTitle("audit", contract), ...sections.flatMap((lines) => ["", ...lines])];
}

function ageLines(ages: Audit["ages"], now: Date): readonly Line[] {
  if (ages === undefined) return ["➖ Not read"];
  return ages.length === 0 ? ["➖ The contract declares no secret"] : ages.map((age) => ageLine(age, now));
}

function tokenLine(token: TokenReport, now: Date): string {
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
      const { name, role, expires } = token;
      const end =
        expires === undefined ? "never expires" : `${expires <= now ? "expired" : "expires"} on ${formatDay(expires)}`;
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
    findings.length > 0
      ? `❌ ${count(findings.length, "finding")}`
      : unseen > 0
        ? "⚠️ No findings in what could be checked"
        : "✅ No findings",
    ...overdue.map((finding) => ({ text: `${INDENT}${wordFinding(finding).remedy}`, whole: true })),
    ...(unseen === 0 ? [] : [`➖ ${count(unseen, "thing")} could not be checked`]),
  ];
}

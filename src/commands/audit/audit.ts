/**
 * The command `sophia-run audit`. It reports the age of each secret, and risks in how secrets are stored, such as a `.env`
 * file that git tracks. It opens and changes no ESC environment. Each part of the audit has a file of its own; this file
 * runs the parts in parallel and joins their findings.
 */
import { resolveSettings, type Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/contract-model.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus } from "../../core/error.ts";
import { printReport } from "../../output/colour.ts";
import { createProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { reportContract } from "../../output/report.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import type { Command } from "../command.ts";
import { describeUnseenAges } from "./age-text.ts";
import { readSecretAges, type SecretAge, type SecretAgesResult, type SecretFilter, createUnknownAges } from "./ages.ts";
import { auditSchemas, type SchemaReport } from "./audit-schema.ts";
import { type AuditReport, createAuditJson, describeAudit } from "./audit-text.ts";
import { type AuditAccess, readTokenReport, describeUnreadEsc, findAuditAccess } from "./audit-token.ts";
import { auditValues, type ValueAudit } from "./audit-values.ts";
import { findEnvFileRisks, findMissingRepositorySecrets, type Finding, findTokenRisks } from "./findings.ts";

/**
 * Returns 0; with `--strict` 1 if there is a finding, and 2 if there is none, but ESC was not read.
 *
 * @throws SophiaError (125)
 */
export const audit: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const now = new Date();
  const contract = await loadContract(settings, context);
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  printNotices(context, settings, dotenv.notices);
  const access = await findAuditAccess(settings, contract, dotenv, context);
  printNotices(context, settings, access.consentNotices);

  const report = await createReport({ settings, contract, dotenv, access, context, now });
  if (options["json"] === true) context.out(createAuditJson(report));
  else printReport(context, describeAudit(report, now));
  if (options["strict"] !== true) return ExitStatus.ok;
  if (report.findings.length > 0) return ExitStatus.unmet;
  return report.isEscRead ? ExitStatus.ok : ExitStatus.incomplete;
};

/** The settings, the files and the access to ESC from which the report is made. */
interface AuditInputs {
  readonly settings: Settings;
  readonly contract: Contract;
  readonly dotenv: DotenvReading;
  readonly access: AuditAccess;
  readonly context: Context;
  readonly now: Date;
}

/** Runs the parts of the audit in parallel, and joins their findings. @throws SophiaError (125) if ESC cannot be read */
async function createReport({ settings, contract, dotenv, access, context, now }: AuditInputs): Promise<AuditReport> {
  const { readingAccess } = access;
  const progress = await createProgress(context, settings);
  const readAges = (isSecret?: SecretFilter): Promise<SecretAgesResult> | SecretAgesResult =>
    readingAccess.kind === "on"
      ? readSecretAges(contract, readingAccess.settings, progress, { now, isSecret })
      : createUnknownAges(contract, isSecret);
  const readAgesOfWronglyPublic = async ({ wronglyPublicNames }: ValueAudit): Promise<readonly SecretAge[]> =>
    wronglyPublicNames.size === 0 ? [] : (await readAges(({ name }) => wronglyPublicNames.has(name))).ages;
  const localSources = { fileLayers: dotenv.layers, processEnvironment: context.environment };
  const valuesPromise = auditValues(contract, readingAccess, localSources, progress);
  const [declaredSecrets, wronglyPublicAges, values, token, envFileFindings, repository] = await Promise.all([
    readAges(),
    // Only the audit of the values finds which variables the contract wrongly declares public.
    valuesPromise.then(readAgesOfWronglyPublic),
    valuesPromise,
    readTokenReport(access, progress),
    findEnvFileRisks(settings, contract, dotenv, context),
    findMissingRepositorySecrets(contract, context),
  ]).finally(progress.done);

  const ages = [...declaredSecrets.ages, ...wronglyPublicAges];
  const schemas = auditSchemas(contract, declaredSecrets.definitions, values.filesByEnvironment);
  const findings = [
    ...findOverdueSecrets(ages),
    ...findTokenRisks(token, now),
    ...findSchemaDifferences(schemas),
    ...values.findings,
    ...envFileFindings,
    ...repository.findings,
  ];
  const isEscRead = readingAccess.kind === "on";
  const unseenInEsc = isEscRead ? describeUnseenAges(ages) : [describeUnreadEsc(readingAccess)];
  const unseen = [...unseenInEsc, ...values.unreadDescriptions, ...repository.unreadDescriptions];
  return { contract: reportContract(contract), ages, isEscRead, schemas, token, findings, unseen };
}

function findOverdueSecrets(ages: readonly SecretAge[]): readonly Finding[] {
  return ages.flatMap(({ name, overdue, due }) =>
    overdue === true && due !== undefined ? [{ kind: "overdue", name, due } as const] : [],
  );
}

function findSchemaDifferences(schemas: readonly SchemaReport[]): readonly Finding[] {
  return schemas.flatMap(({ state, environment }) =>
    state === "differs" ? [{ kind: "schema-differs", environment } as const] : [],
  );
}

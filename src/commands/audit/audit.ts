/**
 * The command `sophia-run audit`. It reports the age of each secret, and risks in how secrets are stored, such as a `.env`
 * file that git tracks. It opens and changes no ESC environment. Each part of the audit has a file of its own; this file
 * runs the parts in parallel and joins their findings.
 */
import { resolveSettings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import { ExitStatus } from "../../core/error.ts";
import { printReport } from "../../output/colour.ts";
import { createProgress } from "../../output/progress.ts";
import { printNotices } from "../../output/print-notices.ts";
import { reportContract } from "../../output/report.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import type { Command } from "../command.ts";
import { describeUnseenAges } from "./age-text.ts";
import { readSecretAges, type SecretAge, type SecretAudit, type SecretFilter, unknownAges } from "./ages.ts";
import { auditSchemas, type SchemaReport } from "./audit-schema.ts";
import { auditJson, auditText } from "./audit-text.ts";
import { auditToken, describeUnreadEsc, historyAccess } from "./audit-token.ts";
import { auditValues, type ValueAudit } from "./audit-values.ts";
import { auditFiles, auditRepository, type Finding, tokenFindings } from "./findings.ts";

/**
 * Returns 0; with `--strict` 1 if there is a finding, and 2 if there is none, but ESC was not read. @throws SophiaError
 * (125)
 */
export const audit: Command = async ({ options }, context) => {
  const settings = resolveSettings(options, context.environment);
  const now = new Date();
  const contract = await loadContract(settings, context);
  const dotenv = await readEnvFiles(settings, findPlaces(settings, context), context.environment);
  printNotices(context, settings, dotenv.notices);
  const access = await historyAccess(settings, contract, dotenv, context);
  const { reader } = access;
  printNotices(context, settings, access.consentNotices);

  const progress = await createProgress(context, settings);
  const readAges = (isSecret?: SecretFilter): Promise<SecretAudit> | SecretAudit =>
    reader.kind === "on"
      ? readSecretAges(contract, reader.settings, progress, now, isSecret)
      : unknownAges(contract, isSecret);
  const readAgesOfWronglyPublic = async ({ wronglyPublicNames }: ValueAudit): Promise<readonly SecretAge[]> =>
    wronglyPublicNames.size === 0 ? [] : (await readAges(({ name }) => wronglyPublicNames.has(name))).ages;
  const valuesPromise = auditValues(contract, reader, dotenv.layers, context.environment, progress);
  const [declaredSecrets, wronglyPublicAges, values, token, fileFindings, repository] = await Promise.all([
    readAges(),
    // Only the audit of the values finds which variables the contract wrongly declares public.
    valuesPromise.then(readAgesOfWronglyPublic),
    valuesPromise,
    auditToken(access, progress),
    auditFiles(settings, contract, dotenv, context),
    auditRepository(contract, context),
  ]).finally(progress.done);

  const ages = [...declaredSecrets.ages, ...wronglyPublicAges];
  const schemas = auditSchemas(contract, declaredSecrets.definitions, values.files);
  const findings = [
    ...overdueFindings(ages),
    ...tokenFindings(token, now),
    ...schemaFindings(schemas),
    ...values.findings,
    ...fileFindings,
    ...repository.findings,
  ];
  const isEscRead = reader.kind === "on";
  const unseenInEsc = isEscRead ? describeUnseenAges(ages) : [describeUnreadEsc(reader)];
  const unseen = [...unseenInEsc, ...values.unseen, ...repository.unseen];
  const report = { contract: reportContract(contract), ages, isEscRead, schemas, token, findings, unseen };
  if (options["json"] === true) context.out(auditJson(report));
  else printReport(context, auditText(report, now));
  if (options["strict"] !== true) return ExitStatus.ok;
  if (findings.length > 0) return ExitStatus.unmet;
  return isEscRead ? ExitStatus.ok : ExitStatus.incomplete;
};

function overdueFindings(ages: readonly SecretAge[]): readonly Finding[] {
  return ages.flatMap(({ name, overdue, due }) =>
    overdue === true && due !== undefined ? [{ kind: "overdue", name, due } as const] : [],
  );
}

function schemaFindings(schemas: readonly SchemaReport[]): readonly Finding[] {
  return schemas.flatMap(({ state, environment }) =>
    state === "differs" ? [{ kind: "schema-differs", environment } as const] : [],
  );
}

import { settle } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/load.ts";
import { ExitStatus } from "../../core/error.ts";
import { jsonText } from "../../core/json-text.ts";
import { tell } from "../../output/colour.ts";
import { makeProgress } from "../../output/progress.ts";
import { reportContract } from "../../output/report.ts";
import { say } from "../../output/say.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import type { Command } from "../command.ts";
import { historyAccess } from "./access.ts";
import { ageForPrograms, secretAges, unknownAges, unseenOf } from "./ages.ts";
import { wordFinding } from "./findings.ts";
import { auditFiles, auditRepository } from "./local.ts";
import { auditText } from "./text.ts";
import { auditToken, tokenFindings } from "./token.ts";

/** `sophia-run audit`: 0; with `--strict` 1 if there is a finding. */
export const audit: Command = async ({ options }, context) => {
  const settings = settle(options, context.environment);
  const now = new Date();
  const contract = await loadContract({ ...settings, cwd: context.cwd });
  const dotenv = await readEnvFiles(settings, context.cwd, context.environment);
  say(context, settings, dotenv.notices);
  const access = historyAccess(settings, dotenv.layers, context);
  const progress = await makeProgress(context, settings);
  const [ages, token, files, repository] = await Promise.all([
    access.reader.kind === "on" ? secretAges(contract, access.reader.settings, progress, now) : unknownAges(contract),
    auditToken(access, progress),
    auditFiles(settings, contract, dotenv, context),
    auditRepository(contract, context),
  ]).finally(progress.done);
  const overdue = ages.flatMap(({ name, overdue: isOver, due }) =>
    isOver === true && due !== undefined ? [{ kind: "overdue", name, due } as const] : [],
  );
  const findings = [...overdue, ...tokenFindings(token, now), ...files, ...repository.findings];
  const inEsc = access.reader.kind === "on" ? unseenOf(ages) : ["ESC: no environment and token are configured"];
  const unseen = [...inEsc, ...repository.unseen];
  if (options["json"] === true) {
    // People read it in the section of the token.
    const ofToken = token.kind === "unseen" ? ["role and end of the token: not visible to this token"] : [];
    const report = {
      version: 1,
      contract: reportContract(contract),
      secrets: ages.map(ageForPrograms),
      token,
      findings: findings.map((finding) => ({ ...finding, ...wordFinding(finding) })),
      unseen: [...unseen, ...ofToken],
    };
    context.out(jsonText(report));
  } else tell(context, auditText({ ages, token, findings, unseen }, now));
  return options["strict"] === true && findings.length > 0 ? ExitStatus.unmet : ExitStatus.ok;
};

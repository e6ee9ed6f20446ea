import type { Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { formatDay, DAY_MS } from "../../core/day.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { OPEN_ROLE } from "../../esc/api/tokens.ts";
import { exposedNotices } from "../../resolve/exposed-files.ts";
import { PUBLIC_REMEDY } from "../../resolve/secret-values.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import { trackedFiles } from "../check/tracked-env-files.ts";
import { APPS, environmentOfGh, listSecrets } from "../parts/gh-command.ts";
import type { TokenReport } from "./audit-token.ts";

export type Finding =
  | { readonly kind: "overdue"; readonly name: string; readonly due: Date }
  | { readonly kind: "token-role"; readonly role: string }
  | { readonly kind: "token-endless" }
  | { readonly kind: "token-ends"; readonly at: Date }
  | { readonly kind: "tracked"; readonly file: string }
  | { readonly kind: "exposed"; readonly file: string }
  | { readonly kind: "schema-differs"; readonly environment: string }
  | { readonly kind: "plain-text"; readonly name: string; readonly environment: string; readonly credential: string }
  | { readonly kind: "called-public"; readonly name: string; readonly credential: string }
  | { readonly kind: "repository-secret"; readonly name: string; readonly app: "actions" | "codespaces" };

const SOON_MS = 14 * DAY_MS;

export function tokenFindings(token: TokenReport, now: Date): readonly Finding[] {
  if (token.kind !== "known") return [];
  const { role, expires } = token;
  const findings: Finding[] = [];
  if (role !== undefined && role !== OPEN_ROLE) findings.push({ kind: "token-role", role });
  if (expires === undefined) findings.push({ kind: "token-endless" });
  else if (expires.getTime() - now.getTime() < SOON_MS) findings.push({ kind: "token-ends", at: expires });
  return findings;
}

export async function auditFiles(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<readonly Finding[]> {
  const tracked = await trackedFiles(settings, contract, context);
  const exposed = exposedNotices(dotenv, contract, context.environment, context.cwd).filter(
    (notice) => notice.kind === "exposed",
  );
  return [...tracked.map((file) => ({ kind: "tracked", file }) as const), ...exposed];
}

interface RepositoryAudit {
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
}

/** Searches the secrets of the repository, for Actions and for Codespaces, for those of the launcher. */
export async function auditRepository(contract: Contract, { project, environment }: Context): Promise<RepositoryAudit> {
  const program = { cwd: project, environment: environmentOfGh(environment, contract) };
  const lists = await Promise.all(
    APPS.map(async (app): Promise<RepositoryAudit> => {
      const existing = await listSecrets(app, program);
      if (typeof existing === "string") {
        const why =
          existing === "absent" ? "the gh CLI is not installed" : `gh secret list --app ${app} shows the error`;
        return { findings: [], unseen: [`the repository's secrets for ${app}: ${why}`] };
      }
      const missing = ["ESC_ENV", "ESC_TOKEN"].filter((name) => !existing.has(name));
      return { findings: missing.map((name) => ({ kind: "repository-secret", name, app })), unseen: [] };
    }),
  );
  return { findings: lists.flatMap(({ findings }) => findings), unseen: lists.flatMap(({ unseen }) => unseen) };
}

export function wordFinding(finding: Finding): { readonly message: string; readonly remedy: string } {
  const worded = (message: string, remedy: string) => ({ message, remedy });
  switch (finding.kind) {
    case "overdue": {
      const name = printable(finding.name);
      return worded(`${name} is overdue since ${formatDay(finding.due)}`, `sophia-run rotate ${shellWord(name)}`);
    }
    case "token-role": {
      const message = `The launcher's token may do more than open environments: its role is ${finding.role}`;
      return worded(message, "create one that may only open this environment (SECRETS.md)");
    }
    case "token-endless":
      return worded("The launcher's token never expires", "create one that expires in 90 days (SECRETS.md)");
    case "token-ends":
      return worded(
        `The launcher's token expires on ${formatDay(finding.at)}`,
        "create a new one before then (SECRETS.md)",
      );
    case "tracked": {
      const remedy = `replace its secrets, then git rm --cached -- ${shellWord(finding.file)}`;
      return worded(`Git tracks ${finding.file}: all readers of the repository can read its values`, remedy);
    }
    case "exposed": {
      const file = printable(finding.file);
      return worded(`${file} is world-readable`, `chmod 600 ${shellWord(file)}`);
    }
    case "schema-differs": {
      const environment = printable(finding.environment);
      const remedy = `sophia-run enforce --in ${shellWord(finding.environment)}`;
      return worded(`The schema in ESC ${environment} is not what the contract gives`, remedy);
    }
    case "plain-text": {
      const name = printable(finding.name);
      const where = `plain text in ESC ${printable(finding.environment)}`;
      return worded(
        `${name} is ${where}, but its value holds ${finding.credential}`,
        `sophia-run rotate ${shellWord(name)}`,
      );
    }
    case "called-public": {
      const message = `The contract declares ${printable(finding.name)} public, but its value holds ${finding.credential}`;
      return worded(message, PUBLIC_REMEDY);
    }
    case "repository-secret": {
      const { name, app } = finding;
      const shown = app === "actions" ? "Actions" : "Codespaces";
      return worded(`The repository has no secret ${name} for ${shown}`, `gh secret set ${name} --app ${app}`);
    }
  }
}

/** The part of an audit without ESC: files, and the secrets of the repository. */
import type { Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/model.ts";
import type { Context } from "../../core/context.ts";
import { exposedNotices } from "../../resolve/exposed.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import { trackedFiles } from "../check/tracked.ts";
import { APPS, environmentOfGh, listSecrets } from "../gh.ts";
import type { Finding } from "./findings.ts";

const REPOSITORY_SECRETS = ["ESC_ENV", "ESC_TOKEN"] as const;

interface LocalAudit {
  readonly findings: readonly Finding[];
  readonly unseen: readonly string[];
}

export async function auditFiles(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<readonly Finding[]> {
  const tracked = await trackedFiles(settings, { contract }, context);
  const exposed = exposedNotices(dotenv, contract, context.environment, context.cwd).filter(
    (notice) => notice.kind === "exposed",
  );
  return [...tracked.map((file) => ({ kind: "tracked", file }) as const), ...exposed];
}

/** Looks for the launcher's own secrets among those of the repository, for Actions and for Codespaces. */
export async function auditRepository(contract: Contract, { cwd, environment }: Context): Promise<LocalAudit> {
  const program = { cwd, environment: environmentOfGh(environment, contract) };
  const lists = await Promise.all(
    APPS.map(async (app): Promise<LocalAudit> => {
      const there = await listSecrets(app, program);
      if (typeof there === "string") {
        const why = there === "absent" ? "the gh CLI is not installed" : `gh secret list --app ${app} says why`;
        return { findings: [], unseen: [`the repository's secrets for ${app}: ${why}`] };
      }
      const missing = REPOSITORY_SECRETS.filter((name) => !there.has(name));
      return { findings: missing.map((name) => ({ kind: "repository-secret", name, app })), unseen: [] };
    }),
  );
  return { findings: lists.flatMap(({ findings }) => findings), unseen: lists.flatMap(({ unseen }) => unseen) };
}

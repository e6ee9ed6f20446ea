/**
 * The findings of `audit`: risks that the user should remove. This file collects the findings about the launcher's token,
 * `.env` files and the repository; `finding-text.ts` describes them.
 */
import type { Settings } from "../../command-line/settings.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { DAY_MS } from "../../core/day.ts";
import { OPEN_ROLE } from "../../esc/api/tokens.ts";
import { exposedNotices } from "../../resolve/exposed-files.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import { findTrackedEnvFiles } from "../check/tracked-env-files.ts";
import {
  type GithubProduct,
  GITHUB_PRODUCTS,
  environmentOfGh,
  type GhLocation,
  listGithubSecrets,
} from "../parts/gh-command.ts";
import type { TokenReport } from "./audit-token.ts";

/** A finding as it appears in JSON, where a message and a remedy are added. */
export type Finding =
  /** A secret is older than the contract allows. */
  | { readonly kind: "overdue"; readonly name: string; readonly due: Date }
  /** The launcher's token has a built-in role that may do more than open environments. */
  | { readonly kind: "token-role"; readonly role: string }
  /** The launcher's token never expires. */
  | { readonly kind: "token-endless" }
  /** The launcher's token has expired, or expires soon. */
  | { readonly kind: "token-ends"; readonly at: Date }
  /** Git tracks a `.env` file. */
  | { readonly kind: "tracked"; readonly file: string }
  /** A `.env` file is world-readable. */
  | { readonly kind: "exposed"; readonly file: string }
  /** The schema in ESC is not the schema that the contract gives. */
  | { readonly kind: "schema-differs"; readonly environment: string }
  /** ESC stores a value in plain text that is a credential. `credential` names its kind, such as `a GitHub token`. */
  | { readonly kind: "plain-text"; readonly name: string; readonly environment: string; readonly credential: string }
  /** The contract declares a variable public whose value is a credential. */
  | { readonly kind: "called-public"; readonly name: string; readonly credential: string }
  /** The repository does not have a secret that the launcher needs there. */
  | { readonly kind: "repository-secret"; readonly name: string; readonly app: "actions" | "codespaces" };

/** A token that expires within this time is a finding, so that the user can replace it in time. */
const EXPIRY_WARNING_MS = 14 * DAY_MS;

/**
 * Returns the findings about the role and the expiry of the launcher's token. A custom role has no identifier, and is no
 * finding.
 */
export function findTokenRisks(token: TokenReport, now: Date): readonly Finding[] {
  if (token.kind !== "known") return [];
  const { role, expires } = token;
  const findings: Finding[] = [];
  if (role !== undefined && role !== OPEN_ROLE) findings.push({ kind: "token-role", role });
  if (expires === undefined) findings.push({ kind: "token-endless" });
  else if (expires.getTime() - now.getTime() < EXPIRY_WARNING_MS) findings.push({ kind: "token-ends", at: expires });
  return findings;
}

/** Finds `.env` files that git tracks or that other users of the machine can read. */
export async function findEnvFileRisks(
  settings: Settings,
  contract: Contract,
  dotenv: DotenvReading,
  context: Context,
): Promise<readonly Finding[]> {
  const trackedFiles = await findTrackedEnvFiles(settings, contract, context);
  const exposedFindings = exposedNotices(dotenv, contract, context.environment, context.cwd).filter(
    (notice) => notice.kind === "exposed",
  );
  return [...trackedFiles.map((file) => ({ kind: "tracked", file }) as const), ...exposedFindings];
}

interface RepositoryAudit {
  readonly findings: readonly Finding[];
  /** Descriptions of the lists that could not be read. */
  readonly unreadDescriptions: readonly string[];
}

/** The secrets that the launcher needs in GitHub Actions and in Codespaces. */
const REPOSITORY_SECRETS = ["ESC_ENV", "ESC_TOKEN"];

/** Asks the GitHub CLI (gh) which of the launcher's secrets the repository lacks. */
export async function findMissingRepositorySecrets(
  contract: Contract,
  { project, environment }: Context,
): Promise<RepositoryAudit> {
  const gh = { cwd: project, environment: environmentOfGh(environment, contract) };
  const audits = await Promise.all(GITHUB_PRODUCTS.map((app) => findMissingSecretsOf(app, gh)));
  return {
    findings: audits.flatMap(({ findings }) => findings),
    unreadDescriptions: audits.flatMap(({ unreadDescriptions }) => unreadDescriptions),
  };
}

async function findMissingSecretsOf(app: GithubProduct, gh: GhLocation): Promise<RepositoryAudit> {
  const existingSecrets = await listGithubSecrets(app, gh);
  if (typeof existingSecrets === "string") {
    const reason =
      existingSecrets === "absent" ? "the gh CLI is not installed" : `gh secret list --app ${app} shows the error`;
    return { findings: [], unreadDescriptions: [`the repository's secrets for ${app}: ${reason}`] };
  }
  const missingNames = REPOSITORY_SECRETS.filter((name) => !existingSecrets.has(name));
  return { findings: missingNames.map((name) => ({ kind: "repository-secret", name, app })), unreadDescriptions: [] };
}

/**
 * Runs the GitHub CLI, `gh`, by which `rotate` and `audit` list and set the secrets of a repository on GitHub. `gh` has the user's
 * login, and finds the repository that belongs to a folder. Failures are returned, not thrown, because the commands continue
 * without `gh`.
 */
import { execFile } from "node:child_process";
import type { Contract } from "../../contract/contract-model.ts";
import type { Environment } from "../../core/model.ts";
import { withoutSecrets } from "../../contract/secret-names.ts";

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** The reason why there is no answer: `gh` is not installed (`absent`), or it failed or took more than 30 seconds (`refused`). */
export type GhFailure = "absent" | "refused";

/** Returns the environment for `gh`: the user's environment without secrets, but with the tokens that `gh` reads. */
export function environmentOfGh(environment: Environment, contract: Contract): Environment {
  const ghTokens = [...environment].filter(([name]) =>
    /^(?:GH|GITHUB|GH_ENTERPRISE|GITHUB_ENTERPRISE)_TOKEN$/.test(name),
  );
  return new Map([...withoutSecrets(environment, contract), ...ghTokens]);
}

/**
 * Runs `gh` without prompts.
 *
 * @param input the standard input of `gh`. Secrets are passed here, since other users can see the arguments of a process.
 */
export function runGh(
  args: readonly string[],
  { cwd, environment }: GhLocation,
  input = "",
): Promise<{ readonly stdout: string } | GhFailure> {
  const env = { ...Object.fromEntries(environment), GH_PROMPT_DISABLED: "1", NO_COLOR: "1" };
  return new Promise((resolve) => {
    const options = { cwd, env, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, killSignal: "SIGKILL" } as const;
    const child = execFile("gh", args, options, (error, stdout) => {
      if (error === null) resolve({ stdout });
      else resolve(error.code === "ENOENT" ? "absent" : "refused");
    });
    // If `gh` closes its input early, the write fails with EPIPE. Only the exit status of `gh` shows whether it failed.
    child.stdin?.on("error", () => {}).end(input);
  });
}

/** The products of GitHub that have secrets of their own (`gh secret list --app`). */
export const GITHUB_PRODUCTS = ["actions", "codespaces"] as const;
export type GithubProduct = (typeof GITHUB_PRODUCTS)[number];

/** The folder and the environment in which `gh` runs. */
export interface GhLocation {
  /** A folder of the repository. */
  readonly cwd: string;
  /** The result of `environmentOfGh`. */
  readonly environment: Environment;
}

/** Returns the names of the repository's secrets, each with the time of its last change in ISO 8601, or with "" if it is unknown. */
export async function listGithubSecrets(
  app: GithubProduct,
  gh: GhLocation,
): Promise<ReadonlyMap<string, string> | GhFailure> {
  const listCommand = ["secret", "list", "--app", app];
  const answer = await runGh([...listCommand, "--json", "name,updatedAt"], gh);
  if (answer === "absent") return answer;
  const secrets = answer === "refused" ? undefined : parseJsonList(answer.stdout);
  if (secrets !== undefined) return secrets;
  // Earlier versions of gh refuse `--json` for this command, and print a table.
  const tableAnswer = await runGh(listCommand, gh);
  return typeof tableAnswer === "string" ? tableAnswer : parseTable(tableAnswer.stdout);
}

/** Parses `[{"name": "ESC_TOKEN", "updatedAt": "2030-01-02T03:04:05Z"}]`; undefined for other text. */
function parseJsonList(text: string): ReadonlyMap<string, string> | undefined {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list)) return undefined;
  return new Map(
    list.flatMap((item: unknown): readonly [string, string][] => {
      const { name, updatedAt }: Readonly<Record<string, unknown>> = Object(item);
      return typeof name === "string" ? [[name, typeof updatedAt === "string" ? updatedAt : ""]] : [];
    }),
  );
}

/** Parses lines such as `ESC_TOKEN<tab>2030-01-02T03:04:05Z`. Some versions print a relative time, which is ignored. */
function parseTable(text: string): ReadonlyMap<string, string> {
  const rows = text.split("\n").map((line) => line.split("\t"));
  return new Map(
    rows
      .filter(([name]) => name !== "")
      .map(([name = "", updatedAt = ""]) => [name, /T\d\d:\d\d:\d\d/.test(updatedAt) ? updatedAt : ""]),
  );
}

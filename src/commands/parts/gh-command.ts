/** Runs the GitHub CLI, which has the user's login and knows the repository of a folder. */
import { execFile } from "node:child_process";
import type { Contract } from "../../contract/contract-model.ts";
import type { Environment } from "../../core/model.ts";
import { withoutSecrets } from "../../contract/secret-names.ts";

const LONGEST_ANSWER_MS = 30_000;
const LARGEST_ANSWER = 4 * 1024 * 1024;

/** `absent`: gh is not installed; `refused`: it fails or does not answer within 30 s. */
export type GhRefusal = "absent" | "refused";

/** Returns the environment of `gh`: no secrets except its own tokens. */
export function environmentOfGh(environment: Environment, contract: Contract): Environment {
  const own = [...environment].filter(([name]) => /^(?:GH|GITHUB|GH_ENTERPRISE|GITHUB_ENTERPRISE)_TOKEN$/.test(name));
  return new Map([...withoutSecrets(environment, contract), ...own]);
}

/** Runs `gh` without prompts. @param input its standard input */
export function askGh(
  args: readonly string[],
  { cwd, environment }: Gh,
  input = "",
): Promise<{ readonly stdout: string } | GhRefusal> {
  const env = { ...Object.fromEntries(environment), GH_PROMPT_DISABLED: "1", NO_COLOR: "1" };
  return new Promise((resolve) => {
    const options = { cwd, env, timeout: LONGEST_ANSWER_MS, maxBuffer: LARGEST_ANSWER, killSignal: "SIGKILL" } as const;
    const child = execFile("gh", args, options, (error, stdout) => {
      if (error === null) resolve({ stdout });
      else resolve(error.code === "ENOENT" ? "absent" : "refused");
    });
    // If gh stops reading, its exit status says why.
    child.stdin?.on("error", () => {}).end(input);
  });
}

export const APPS = ["actions", "codespaces"] as const;
export type App = (typeof APPS)[number];

export interface Gh {
  readonly cwd: string;
  readonly environment: Environment;
}

/** Returns the names of the repository's secrets, each with the time of its last change or with "". */
export async function listSecrets(app: App, gh: Gh): Promise<ReadonlyMap<string, string> | GhRefusal> {
  const list = ["secret", "list", "--app", app];
  const answer = await askGh([...list, "--json", "name,updatedAt"], gh);
  if (answer === "absent") return answer;
  const found = answer === "refused" ? undefined : entriesOfJson(answer.stdout);
  if (found !== undefined) return found;
  // Earlier versions have no --json here.
  const table = await askGh(list, gh);
  return typeof table === "string" ? table : entriesOfTable(table.stdout);
}

function entriesOfJson(text: string): ReadonlyMap<string, string> | undefined {
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

function entriesOfTable(text: string): ReadonlyMap<string, string> {
  const rows = text.split("\n").map((line) => line.split("\t"));
  return new Map(
    rows
      .filter(([name]) => name !== "")
      .map(([name = "", updatedAt = ""]) => [name, /T\d\d:\d\d:\d\d/.test(updatedAt) ? updatedAt : ""]),
  );
}

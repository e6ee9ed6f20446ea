/** Questions to the GitHub CLI, as a program: it has the user's sign-in and knows which repository is meant. */
import { execFile } from "node:child_process";
import type { Contract } from "../contract/model.ts";
import type { Environment } from "../core/model.ts";
import { withoutSecrets } from "../resolve/secrets.ts";

const LONGEST_ANSWER_MS = 30_000;
const LARGEST_ANSWER = 4 * 1024 * 1024;

/** Why there is no answer. */
export type GhRefusal = "absent" | "refused";

/** What `gh` gets: no secret but its own credentials, which are the user's way to say who asks. */
export function environmentOfGh(environment: Environment, contract: Contract): Environment {
  const own = [...environment].filter(([name]) => /^(?:GH|GITHUB|GH_ENTERPRISE|GITHUB_ENTERPRISE)_TOKEN$/.test(name));
  return new Map([...withoutSecrets(environment, contract), ...own]);
}

/**
 * Runs `gh` and gives what it writes to its standard output; a {@link GhRefusal} where it is not installed, says no or
 * does not answer for 30 s. It asks nothing.
 *
 * @param environment what it gets, as `environmentOfGh` has it
 * @param input what it reads from its standard input
 */
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
    // What it does not read its status explains.
    child.stdin?.on("error", () => {}).end(input);
  });
}

/** GitHub keeps their secrets apart. */
export const APPS = ["actions", "codespaces"] as const;
export type App = (typeof APPS)[number];

/** Where `gh` runs, and what it gets. */
export interface Gh {
  readonly cwd: string;
  readonly environment: Environment;
}

/** The names of the repository's secrets, and when each was set; empty where `gh` does not tell to the second. */
export async function listSecrets(app: App, gh: Gh): Promise<ReadonlyMap<string, string> | GhRefusal> {
  const list = ["secret", "list", "--app", app];
  const answer = await askGh([...list, "--json", "name,updatedAt"], gh);
  if (answer === "absent") return answer;
  const found = answer === "refused" ? undefined : entriesOfJson(answer.stdout);
  if (found !== undefined) return found;
  // Earlier versions know no JSON here.
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
      if (typeof item !== "object" || item === null || !("name" in item) || typeof item.name !== "string") return [];
      return [[item.name, "updatedAt" in item && typeof item.updatedAt === "string" ? item.updatedAt : ""]];
    }),
  );
}

function entriesOfTable(text: string): ReadonlyMap<string, string> {
  const rows = text.split("\n").map((line) => line.split("\t"));
  return new Map(
    rows.flatMap(([name = "", updatedAt = ""]): readonly [string, string][] =>
      name === "" ? [] : [[name, /T\d\d:\d\d:\d\d/.test(updatedAt) ? updatedAt : ""]],
    ),
  );
}

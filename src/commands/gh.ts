/** Questions to the GitHub CLI, as a program: it has the user's sign-in and knows which repository is meant. */
import { execFile } from "node:child_process";
import type { Contract } from "../contract/model.ts";
import type { Environment } from "../core/model.ts";
import { withoutSecrets } from "../resolve/secrets.ts";

const LONGEST_ANSWER_MS = 30_000;
const LARGEST_ANSWER = 4 * 1024 * 1024;

/** `absent`: gh is not installed; `refused`: it fails or does not answer within 30 s. */
export type GhRefusal = "absent" | "refused";

/** Returns the environment of `gh`: no secret but its own credentials, by which the user says who asks. */
export function environmentOfGh(environment: Environment, contract: Contract): Environment {
  const own = [...environment].filter(([name]) => /^(?:GH|GITHUB|GH_ENTERPRISE|GITHUB_ENTERPRISE)_TOKEN$/.test(name));
  return new Map([...withoutSecrets(environment, contract), ...own]);
}

/** Runs `gh`, which asks no question. @param input its standard input */
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
    // If it does not read its input, its status says why.
    child.stdin?.on("error", () => {}).end(input);
  });
}

/** The parts of GitHub that have secrets of their own. */
export const APPS = ["actions", "codespaces"] as const;
export type App = (typeof APPS)[number];

/** A way to run `gh`, with an environment of `environmentOfGh`. */
export interface Gh {
  readonly cwd: string;
  readonly environment: Environment;
}

/** Returns the names of the repository's secrets with the time of their last change; empty if `gh` gives no time. */
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

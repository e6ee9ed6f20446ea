/** Runs the jobs of a workflow one after the other. As on GitHub, a job is not run if a job that it needs has failed. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { memberAt, recordAt } from "../json-members.ts";
import { type Runner, type RunnerOptions, startRunner } from "./runner.ts";

export interface WorkflowOptions extends RunnerOptions {
  /** The values of `${{ secrets.NAME }}`, `${{ vars.NAME }}` and `${{ github.name }}`. */
  readonly contexts?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The search path of `run` steps. */
  readonly path?: string;
}

/** A job that was run. */
export interface Job {
  readonly runner: Runner;
  /** The steps that were run: the command or the action, and its status. */
  readonly steps: readonly { readonly what: string; readonly status: number | null }[];
}

/** The action of this repository. */
const SOPHIA_ACTION = /^sophia-platform\/sophia-run@v\d+\.\d+\.\d+$/;
/** Actions that prepare the workspace and Node.js. They are skipped, because tests have both. */
const PREPARING = /^actions\/(?:checkout|setup-node)@[0-9a-f]{40}$/;
const AUTH = /^pulumi\/auth-actions@[0-9a-f]{40}$/;

/** Runs the jobs of a workflow's file. @returns those that were run, by name */
export async function runWorkflow(file: string, options: WorkflowOptions): Promise<ReadonlyMap<string, Job>> {
  const document: unknown = parse(readFileSync(file, "utf8"));
  const finished = new Map<string, Job>();
  const failed = new Set<string>();
  for (const [name, job] of Object.entries(recordAt(document, "jobs"))) {
    const needs = textOf(job, "needs");
    if (needs !== undefined && (failed.has(needs) || !finished.has(needs))) continue;
    const runner = startRunner({ ...options, env: { ...options.env, ...textsOf(recordAt(job, "env")) } });
    const steps: { what: string; status: number | null }[] = [];
    for (const step of Object.values(recordAt(job, "steps"))) {
      const uses = textOf(step, "uses");
      if (uses !== undefined && PREPARING.test(uses)) continue;
      if (uses !== undefined && !SOPHIA_ACTION.test(uses) && !AUTH.test(uses))
        throw new Error(`no action ${uses} here`);
      const fill = (values: Readonly<Record<string, string>>): Record<string, string> =>
        Object.fromEntries(Object.entries(values).map(([key, value]) => [key, fillIn(value, runner, options)]));
      const env = fill(textsOf(recordAt(step, "env")));
      const script = textOf(step, "run") ?? "";
      const status =
        uses === undefined
          ? await runner.run(script, env, options.path)
          : AUTH.test(uses)
            ? await authenticate(fill(textsOf(recordAt(step, "with"))), options.env ?? {}, runner)
            : await runner.action(fill(textsOf(recordAt(step, "with"))), env, textOf(step, "id"));
      steps.push({ what: uses ?? script, status });
      if (status === 0) continue;
      failed.add(name);
      break;
    }
    finished.set(name, { runner, steps });
  }
  return finished;
}

/**
 * Does the same as pulumi/auth-actions 2.1.0: it exchanges the ID token of the job, and sets PULUMI_ACCESS_TOKEN for the later steps.
 * scripts/places/actions runs the real action.
 */
async function authenticate(
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>>,
  { environment }: Runner,
): Promise<number> {
  const audience = `urn:pulumi:org:${inputs["organization"]}`;
  const request = `${env["ACTIONS_ID_TOKEN_REQUEST_URL"]}&audience=${encodeURIComponent(audience)}`;
  const headers = { Authorization: `Bearer ${env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}` };
  const issued: unknown = await (await fetch(request, { headers })).json();
  const answer = await fetch(new URL("api/oauth/token", env["PULUMI_BACKEND_URL"]), {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/plain, */*",
      "User-Agent": "axios/1.8.4",
    },
    body: JSON.stringify({
      audience,
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      requested_token_type: inputs["requested-token-type"],
      subject_token: memberAt(issued, "value"),
    }),
  });
  const token: unknown = memberAt(await answer.json(), "access_token");
  if (answer.status !== 200 || typeof token !== "string") return 1;
  environment.set("PULUMI_ACCESS_TOKEN", token);
  return 0;
}

/** Replaces the expressions in a text. They may consist only of names and dots. */
function fillIn(template: string, runner: Runner, { contexts = {} }: WorkflowOptions): string {
  return template.replaceAll(/\$\{\{\s*([\w.-]+)\s*\}\}/g, (_, path: string) => {
    const [context = "", name = "", ...rest] = path.split(".");
    if (context === "steps") return runner.outputs.get(name)?.get(rest[1] ?? "") ?? "";
    return contexts[context]?.[name] ?? "";
  });
}

/** Returns a member if it is a text. */
function textOf(value: unknown, name: string): string | undefined {
  const member = memberAt(value, name);
  return typeof member === "string" ? member : undefined;
}

function textsOf(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

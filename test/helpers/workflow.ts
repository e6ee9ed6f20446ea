import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { at } from "./at.ts";

/** One step of a job, as far as the tests look at it. */
interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: unknown;
}

export interface Workflow {
  readonly permissions: unknown;
  readonly jobs: readonly { readonly name: string; readonly permissions: unknown; readonly environment: unknown }[];
  /** The steps of all jobs, in the order of the file. */
  readonly steps: readonly Step[];
}

/** Reads a GitHub Actions workflow. */
export function readWorkflow(path: string): Workflow {
  const document: unknown = parse(readFileSync(path, "utf8"));
  const named = Object.entries(at(document, "jobs") ?? {});
  const jobs = named.map(([, job]: readonly [string, unknown]) => job);
  return {
    permissions: at(document, "permissions"),
    jobs: named.map(([name, job]: readonly [string, unknown]) => ({
      name,
      permissions: at(job, "permissions"),
      environment: at(job, "environment"),
    })),
    steps: jobs.flatMap((job: unknown) => {
      const steps = at(job, "steps");
      return Array.isArray(steps) ? steps.map(toStep) : [];
    }),
  };
}

function toStep(step: unknown): Step {
  const texts = (["id", "if", "uses", "run"] as const).flatMap((name) => {
    const value = at(step, name);
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return { ...Object.fromEntries(texts), env: at(step, "env") };
}

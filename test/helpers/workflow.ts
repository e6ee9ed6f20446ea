/** Reads workflows of GitHub Actions. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { memberAt } from "./json-members.ts";

/** A step of a job, with the members that tests need. */
interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: unknown;
}

/** A workflow, with the members that tests need. */
export interface Workflow {
  readonly permissions: unknown;
  readonly jobs: readonly { readonly name: string; readonly permissions: unknown; readonly environment: unknown }[];
  /** The steps of all jobs, in the order of the file. */
  readonly steps: readonly Step[];
}

/** Reads the file of a workflow. */
export function readWorkflow(path: string): Workflow {
  const document: unknown = parse(readFileSync(path, "utf8"));
  const jobsByName = Object.entries(memberAt(document, "jobs") ?? {});
  const jobs = jobsByName.map(([, job]: readonly [string, unknown]) => job);
  return {
    permissions: memberAt(document, "permissions"),
    jobs: jobsByName.map(([name, job]: readonly [string, unknown]) => ({
      name,
      permissions: memberAt(job, "permissions"),
      environment: memberAt(job, "environment"),
    })),
    steps: jobs.flatMap((job: unknown) => {
      const steps = memberAt(job, "steps");
      return Array.isArray(steps) ? steps.map(toStep) : [];
    }),
  };
}

function toStep(step: unknown): Step {
  const texts = (["id", "if", "uses", "run"] as const).flatMap((name) => {
    const value = memberAt(step, name);
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return { ...Object.fromEntries(texts), env: memberAt(step, "env") };
}

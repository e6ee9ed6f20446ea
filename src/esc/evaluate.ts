/** Evaluating environments without opening them: no credentials are minted, and what is secret stays unknown. */
import type { Diagnostic } from "../model.ts";
import { askEsc, type EscAnswers, type Progress } from "../sources/esc.ts";
import type { EscSettings } from "./access.ts";
import { fieldsOf, parseDiagnostics, requireObject } from "./answer.ts";
import { systemClock } from "./deadline.ts";
import { EscFault } from "./fault.ts";
import { formatName } from "./names.ts";
import { authority } from "./network.ts";
import { MAX_READ_RETRIES } from "./retry.ts";
import { firstKnown } from "./session.ts";

/** What evaluating tells of a variable: its value, that it is there, or that it cannot become a variable. */
export type Evaluated =
  | { readonly kind: "known"; readonly value: string }
  /** A secret, or what a provider gives when the environment is opened. */
  | { readonly kind: "unknown" }
  | { readonly kind: "list-or-object" };

export interface EvaluatedEnvironment {
  /** `org/project/name` */
  readonly name: string;
  readonly variables: ReadonlyMap<string, Evaluated>;
  /** There may be further variables: all of `environmentVariables` or `files` comes from a provider. */
  readonly open: boolean;
  /** What the service says of the definition. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Evaluates each environment of the settings by itself (`POST …/check`, which is not in the SDK), side by side.
 * The request names no version: the service is asked for the latest definition.
 */
export function evaluateEnvironments(
  settings: EscSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<EscAnswers<EvaluatedEnvironment>> {
  return askEsc(settings, progress, signal, systemClock, ({ backend, http, token, headers, cleaner, repeat }) => {
    const host = authority(new URL(backend));
    return Promise.resolve((names) =>
      firstKnown(names, (full) =>
        repeat(`evaluating ${formatName(full)}`, { retries: 0, maxRetries: MAX_READ_RETRIES }, async () => {
          const path = [full.organization, full.project, full.name].map(encodeURIComponent).join("/");
          const answer = await http.request({
            url: `${backend}/api/esc/environments/${path}/check`,
            method: "POST",
            headers: { ...headers, Authorization: `token ${token.reveal()}` },
          });
          const fields = requireObject(answer, host, cleaner);
          const diagnostics = parseDiagnostics(fields["diagnostics"], cleaner);
          if (diagnostics.some(({ severity }) => severity === "error")) {
            throw new EscFault({ kind: "status", host, status: 400, diagnostics });
          }
          return { name: formatName(full), ...readVariables(fieldsOf(fields["properties"]) ?? {}), diagnostics };
        }),
      ),
    );
  });
}

function readVariables(
  properties: Readonly<Record<string, unknown>>,
): Pick<EvaluatedEnvironment, "variables" | "open"> {
  const variables = new Map<string, Evaluated>();
  let open = false;
  for (const group of ["environmentVariables", "files"]) {
    const property = fieldsOf(properties[group]);
    if (property === undefined) continue;
    if (isMarked(property["unknown"])) open = true;
    for (const [name, child] of Object.entries(fieldsOf(property["value"]) ?? {})) {
      variables.set(name, evaluatedOf(fieldsOf(child) ?? {}));
    }
  }
  return { variables, open };
}

function evaluatedOf({ value, unknown, secret }: Readonly<Record<string, unknown>>): Evaluated {
  // Where a secret has a value here, it is its ciphertext.
  if (isMarked(unknown) || isMarked(secret)) return { kind: "unknown" };
  if (value === undefined || value === null) return { kind: "known", value: "" };
  if (typeof value === "object") return { kind: "list-or-object" };
  return { kind: "known", value: typeof value === "string" ? value : JSON.stringify(value) };
}

function isMarked(flag: unknown): boolean {
  return flag !== undefined && flag !== null && flag !== false;
}

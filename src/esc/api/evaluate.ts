/** Evaluating environments without opening them: no credentials are minted, and what is secret stays unknown. */
import type { Diagnostic, Notice, Variable } from "../../core/model.ts";
import { EscFault } from "../faults/fault.ts";
import type { EscSettings } from "../settings/access.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { parseDiagnostics } from "../transport/answer.ts";
import type { Connection, Progress } from "../transport/connection.ts";
import { budget, MAX_READ_RETRIES } from "../transport/retry.ts";
import { pathOfRevision } from "./definition.ts";
import { askEsc, type EscAnswers } from "./ask.ts";
import { type Entry, readEntries } from "./values.ts";

/** What evaluating tells of a variable: its value, that it is there, or that it cannot become a variable. */
export type Evaluated =
  | { readonly kind: "known"; readonly variable: Variable }
  /** A secret, or what is given by a provider once the environment is opened. */
  | { readonly kind: "unknown"; readonly secret: boolean; readonly delivery: Variable["delivery"] }
  | { readonly kind: "list-or-object" };

export interface EvaluatedEnvironment {
  readonly name: FullName;
  readonly variables: ReadonlyMap<string, Evaluated>;
  /** There may be further variables: all of `environmentVariables` or of `files` is known only once it is opened. */
  readonly open: boolean;
  /** What the service says of the definition: warnings. */
  readonly diagnostics: readonly Diagnostic[];
  readonly notices: readonly Notice[];
}

/**
 * Evaluates each environment of the settings by itself, side by side: `POST …/check`, or `POST …/versions/{v}/check`
 * for a pinned one. The SDK has neither.
 *
 * @throws SophiaError (esc-value, 125) for a name or value that no environment variable can have
 */
export function evaluateEnvironments(
  settings: EscSettings,
  progress: Progress,
): Promise<EscAnswers<EvaluatedEnvironment>> {
  return askEsc(settings, progress, evaluate);
}

/** Evaluates one environment. @throws EscFault @throws SophiaError as `evaluateEnvironments` does */
export function evaluate(name: FullName, connection: Connection): Promise<EvaluatedEnvironment> {
  const { host } = connection;
  const path = pathOfRevision(name, "check");
  return connection.repeat(`evaluating ${formatName(name)}`, budget(MAX_READ_RETRIES), async () => {
    const answer = await connection.ask({ method: "POST", path });
    const { diagnostics: list, ...fields } = connection.objectIn(answer);
    const diagnostics = parseDiagnostics(list, connection.cleaner);
    if (diagnostics.some(({ severity }) => severity === "error")) {
      throw new EscFault({ kind: "status", host, status: answer.status, diagnostics });
    }
    const { entries, unknown, notices } = readEntries(fields, answer.data, name, host);
    const variables = new Map<string, Evaluated>();
    for (const entry of entries) {
      // A file hides a variable of the same name, a list or an object hides nothing.
      if (entry.kind !== "list-or-object" || !variables.has(entry.name)) variables.set(entry.name, evaluated(entry));
    }
    return { name, variables, open: unknown.length > 0, diagnostics, notices };
  });
}

function evaluated(entry: Entry): Evaluated {
  const { kind, secret, delivery } = entry;
  if (kind === "list-or-object") return { kind };
  // What stands in place of a secret's value need not be the value: without the right to it, the service masks it.
  if (kind === "unknown" || (secret && entry.variable.value !== "")) return { kind: "unknown", secret, delivery };
  return { kind: "known", variable: entry.variable };
}

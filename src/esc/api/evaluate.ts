/**
 * Evaluates ESC environments without opening them: providers mint no credentials, and ESC does not show the values of secrets. So
 * commands can examine environments that the token may not open, or that ESC does not open because a schema refuses a value.
 */
import type { Diagnostic, Notice, Variable } from "../../core/model.ts";
import { isSchemaFinding } from "../faults/schema-refusal.ts";
import { formatName, type FullName } from "../settings/environment-names.ts";
import type { Connection } from "../transport/connection.ts";
import { pathOfRevision } from "./definition-requests.ts";
import { type OpenedEntry, readEntries } from "./opened-values.ts";

/** A variable, as far as its value is known without opening the environment. */
export type EvaluatedVariable =
  | { readonly kind: "known"; readonly variable: Variable }
  /** A secret, or a value that a provider makes when the environment is opened. */
  | { readonly kind: "unknown"; readonly secret: boolean; readonly delivery: Variable["delivery"] }
  | { readonly kind: "list-or-object" };

export interface EvaluatedEnvironment {
  readonly name: FullName;
  readonly variables: ReadonlyMap<string, EvaluatedVariable>;
  /** True if there may be further variables, because ESC knows `environmentVariables` or `files` only once it opens the environment. */
  readonly isPartial: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly notices: readonly Notice[];
}

/** Stands for a value that the token does not see. The variable counts as set, and its format is not checked. No program gets this text. */
export const UNSEEN = "a hidden value";

/** Returns the variables of an evaluated environment, with {@link UNSEEN} for unknown values. */
export function variablesIn({ name, variables }: EvaluatedEnvironment): readonly Variable[] {
  return Array.from(variables).flatMap(([key, evaluated]): readonly Variable[] => {
    if (evaluated.kind === "list-or-object") return [];
    if (evaluated.kind === "known") return [evaluated.variable];
    const origin = { source: "esc", environment: formatName(name) } as const;
    return [{ name: key, value: UNSEEN, secret: evaluated.secret, origin, delivery: evaluated.delivery }];
  });
}

/** Evaluates an environment: `POST …/check`, which the SDK lacks. @throws EscFault @throws SophiaError (esc-value, 125) */
export function evaluate(name: FullName, connection: Connection): Promise<EvaluatedEnvironment> {
  const path = pathOfRevision(name, "check");
  return connection.repeat(`evaluating ${formatName(name)}`, async () => {
    const answer = await connection.ask({ method: "POST", path });
    // If a schema refuses some values, the answer has all of them anyway.
    const { diagnostics, fields } = connection.diagnosticsIn(answer, isSchemaFinding);
    const { entries, unknown, notices } = readEntries(fields, answer.data, name, connection.host);
    const variables = new Map<string, EvaluatedVariable>();
    for (const entry of entries) {
      // A file hides a variable of the same name. A list or an object hides nothing.
      const isHidden = entry.kind === "list-or-object" && variables.has(entry.name);
      if (!isHidden) variables.set(entry.name, toEvaluated(entry));
    }
    return { name, variables, isPartial: unknown.length > 0, diagnostics, notices };
  });
}

function toEvaluated(entry: OpenedEntry): EvaluatedVariable {
  const { kind, secret, delivery } = entry;
  if (kind === "list-or-object") return { kind };
  // The service masks secrets that the token may not see, so that the text of a secret is not its value.
  if (kind === "unknown" || (secret && entry.variable.value !== "")) return { kind: "unknown", secret, delivery };
  return { kind: "known", variable: entry.variable };
}

/** Evaluating environments without opening them: no credentials are minted, and what is secret stays unknown. */
import type { Diagnostic, Notice, Variable } from "../../core/model.ts";
import { askEsc, type Connection, type EscAnswers, type Progress } from "../../sources/esc.ts";
import type { EscSettings } from "../settings/access.ts";
import { fieldsOf, parseDiagnostics, requireObject } from "./answer.ts";
import { systemClock } from "../transport/deadline.ts";
import { EscFault } from "../faults/fault.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { authority } from "../settings/network.ts";
import { MAX_READ_RETRIES } from "../transport/retry.ts";
import { firstKnown } from "./session.ts";
import { readValues } from "./values.ts";

type Fields = Readonly<Record<string, unknown>>;

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
  signal: AbortSignal,
): Promise<EscAnswers<EvaluatedEnvironment>> {
  return askEsc(settings, progress, signal, systemClock, (connection) =>
    Promise.resolve((names) => firstKnown(names, (name) => evaluate(name, connection))),
  );
}

function evaluate(name: FullName, connection: Connection): Promise<EvaluatedEnvironment> {
  const { backend, http, token, headers, cleaner, repeat } = connection;
  const host = authority(new URL(backend));
  const { organization, project, version } = name;
  const path = [organization, project, name.name, ...(version === undefined ? [] : ["versions", version])];
  return repeat(`evaluating ${formatName(name)}`, { retries: 0, maxRetries: MAX_READ_RETRIES }, async () => {
    const answer = await http.request({
      url: `${backend}/api/esc/environments/${path.map(encodeURIComponent).join("/")}/check`,
      method: "POST",
      headers: { ...headers, Authorization: `token ${token.reveal()}` },
    });
    const { diagnostics: said, ...fields } = requireObject(answer, host, cleaner);
    const diagnostics = parseDiagnostics(said, cleaner);
    if (diagnostics.some(({ severity }) => severity === "error")) {
      throw new EscFault({ kind: "status", host, status: answer.status, diagnostics });
    }
    const { variables, notices } = readValues(fields, answer.data, name, host);
    return {
      name,
      ...evaluated(fieldsOf(fields["properties"]) ?? {}, variables),
      diagnostics,
      // The names that it skips are told by the variables.
      notices: notices.filter(({ kind }) => kind !== "esc-skipped"),
    };
  });
}

/** @param known what a process would get, as far as it is known */
function evaluated(properties: Fields, known: readonly Variable[]): Pick<EvaluatedEnvironment, "variables" | "open"> {
  const variables = new Map<string, Evaluated>(known.map((variable) => [variable.name, classify(variable)]));
  let open = false;
  for (const group of ["environmentVariables", "files"] as const) {
    const property = fieldsOf(properties[group]);
    if (property === undefined) continue;
    if (isMarked(property["unknown"])) open = true;
    for (const [name, child] of Object.entries(fieldsOf(property["value"]) ?? {})) {
      const fields = fieldsOf(child) ?? {};
      const delivery = group === "files" ? "file" : "value";
      if (isMarked(fields["unknown"])) {
        const secret = isMarked(fields["secret"]) || isMarked(property["secret"]);
        // A file hides a variable of the same name, and is itself hidden by none.
        if (delivery === "file" || variables.get(name)?.kind !== "known") {
          variables.set(name, { kind: "unknown", secret, delivery });
        }
      } else if (!variables.has(name)) variables.set(name, { kind: "list-or-object" });
    }
  }
  return { variables, open };
}

/** What stands in the place of a secret's value need not be the value: without the right to it, the service masks it. */
function classify(variable: Variable): Evaluated {
  const { secret, value, delivery } = variable;
  return secret && value !== "" ? { kind: "unknown", secret, delivery } : { kind: "known", variable };
}

function isMarked(flag: unknown): boolean {
  return flag !== undefined && flag !== null && flag !== false;
}

/** Evaluating environments without opening them: nothing is minted, and what is secret stays unknown. */
import { parseDiagnostics, fieldsOf, requireObject } from "./answer.ts";
import type { EscSettings } from "./access.ts";
import { Cleaner } from "./clean.ts";
import { type Clock, Deadline, systemClock } from "./deadline.ts";
import { EscFault } from "./fault.ts";
import { HttpClient } from "./http.ts";
import { candidates, type EnvironmentName, formatName, type FullName } from "./names.ts";
import { authority } from "./network.ts";
import { findDefaultOrganization } from "./organization.ts";
import { type Progress, repeat } from "./repeat.ts";
import { MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "./retry.ts";
import { obtainToken } from "./token.ts";
import { wordFault } from "./wording.ts";
import type { Failure } from "../model.ts";
import { printable } from "../text.ts";

/** What evaluating tells of a variable: its value, that it is there, or that it cannot become a variable. */
export type Evaluated =
  | { readonly kind: "known"; readonly value: string }
  /** A secret, or what a provider gives when the environment is opened. */
  | { readonly kind: "unknown" }
  | { readonly kind: "list-or-object" };

export type Evaluation =
  | {
      readonly kind: "evaluated";
      readonly name: string;
      readonly variables: ReadonlyMap<string, Evaluated>;
      /** Whether there may be further variables: all of `environmentVariables` or `files` comes from a provider. */
      readonly open: boolean;
      /** What the service says of the definition. */
      readonly remarks: readonly string[];
    }
  | { readonly kind: "failed"; readonly name: string; readonly failure: Failure };

/**
 * Evaluates each environment of the settings by itself (`POST …/check`), under one deadline; one that fails does not
 * keep the others.
 */
export async function evaluateEnvironments(
  settings: EscSettings,
  headers: Readonly<Record<string, string>>,
  progress: Progress,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<readonly Evaluation[]> {
  const { backend, credential, environments } = settings;
  const deadline = new Deadline(settings.timeoutMs, signal, clock);
  const cleaner = new Cleaner();
  const remarks: string[] = [];
  const clients: HttpClient[] = [];
  const connectTo = (origin: URL): HttpClient => {
    const client = new HttpClient(origin, settings.network, deadline, (text) => remarks.push(printable(text)));
    clients.push(client);
    return client;
  };
  const word = (error: unknown, name: EnvironmentName): Evaluation => {
    if (!(error instanceof EscFault)) throw error;
    const failure = wordFault(error, { environments: [name.text], credential });
    const details = [...(failure.details ?? []), ...remarks];
    return { kind: "failed", name: name.text, failure: details.length === 0 ? failure : { ...failure, details } };
  };
  const ask = <T>(what: string, maxRetries: number, request: () => Promise<T>): Promise<T> =>
    repeat(request, { what, budget: { retries: 0, maxRetries }, deadline, clock, progress });
  try {
    const http = connectTo(new URL(backend));
    const token = await obtainToken(credential, {
      backend,
      http,
      headers,
      cleaner,
      deadline,
      connectTo,
      repeat: (what, mints, request) => ask(what, mints ? MAX_OPEN_RETRIES : MAX_READ_RETRIES, request),
    });
    const organization = environments.every((name) => name.organization !== undefined)
      ? undefined
      : (settings.organization ??
        (await findDefaultOrganization({
          backend,
          http,
          token,
          headers,
          cleaner,
          repeat: (what, request) => ask(what, MAX_READ_RETRIES, request),
        })));
    const host = authority(new URL(backend));
    const evaluate = async (full: FullName): Promise<Evaluation> =>
      ask(`evaluating ${formatName(full)}`, MAX_READ_RETRIES, async () => {
        const path = [full.organization, full.project, full.name].map(encodeURIComponent).join("/");
        const answer = await http.request({
          url: `${backend}/api/esc/environments/${path}/check`,
          method: "POST",
          headers: { ...headers, Authorization: `token ${token.reveal()}` },
        });
        const fields = requireObject(answer, host, cleaner);
        const diagnostics = parseDiagnostics(fields["diagnostics"], cleaner);
        if (diagnostics.some(({ severity }) => severity === "error")) {
          throw new EscFault({ kind: "status", host, status: answer.status, diagnostics });
        }
        return {
          kind: "evaluated",
          name: formatName(full),
          ...readVariables(fieldsOf(fields["properties"]) ?? {}),
          remarks: diagnostics.map(({ summary }) => summary),
        };
      });
    return await Promise.all(
      environments.map(async (name): Promise<Evaluation> => {
        try {
          return await firstKnown(candidates(name, organization), host, evaluate);
        } catch (error) {
          return word(error, name);
        }
      }),
    );
  } catch (error) {
    return environments.map((name) => word(error, name));
  } finally {
    deadline.dispose();
    for (const client of clients) client.close();
  }
}

async function firstKnown(
  names: readonly FullName[],
  host: string,
  evaluate: (name: FullName) => Promise<Evaluation>,
): Promise<Evaluation> {
  for (const [index, name] of names.entries()) {
    try {
      return await evaluate(name);
    } catch (error) {
      const isUnknown = error instanceof EscFault && error.fault.kind === "status" && error.fault.status === 404;
      if (!isUnknown || index === names.length - 1) throw error;
    }
  }
  throw new EscFault({ kind: "no-organization", host });
}

function readVariables(properties: Readonly<Record<string, unknown>>): {
  readonly variables: ReadonlyMap<string, Evaluated>;
  readonly open: boolean;
} {
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
  // The service may hand out the ciphertext of a secret as if it were its value.
  if (isMarked(unknown) || isMarked(secret)) return { kind: "unknown" };
  if (value === undefined || value === null) return { kind: "known", value: "" };
  return typeof value === "object" ? { kind: "list-or-object" } : { kind: "known", value: String(value) };
}

function isMarked(flag: unknown): boolean {
  return flag !== undefined && flag !== null && flag !== false;
}

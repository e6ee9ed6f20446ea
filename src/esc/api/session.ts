import type { Diagnostic, Notice, Variable } from "../../core/model.ts";
import { isUnicode } from "../../core/text.ts";
import { parseDiagnostics, requireObject } from "./answer.ts";
import type { Cleaner } from "./clean.ts";
import { EscFault, type Fault } from "../faults/fault.ts";
import type { HttpAnswer } from "../transport/http.ts";
import { formatName, type FullName } from "../settings/names.ts";
import { authority } from "../settings/network.ts";
import type { RetryBudget } from "../transport/repeat.ts";
import { MAX_OPEN_RETRIES, MAX_READ_RETRIES } from "../transport/retry.ts";
import type { EscRequests } from "./sdk.ts";
import { readValues } from "./values.ts";

/** What opening and reading takes. */
export interface SessionContext {
  readonly backend: string;
  readonly requests: EscRequests;
  readonly cleaner: Cleaner;
  readonly repeat: <T>(what: string, budget: RetryBudget, ask: () => Promise<T>) => Promise<T>;
}

/** What one environment gives. */
export interface OpenedEnvironment {
  readonly name: FullName;
  readonly variables: readonly Variable[];
  readonly notices: readonly Notice[];
}

/**
 * Opens the first of the candidates that the service knows, and reads it.
 *
 * @param names at least one
 * @throws EscFault
 * @throws SophiaError for values that no environment variable can have
 */
export function openFirst(names: readonly FullName[], context: SessionContext): Promise<OpenedEnvironment> {
  return firstKnown(names, (name) => openAndRead(name, context));
}

/**
 * What `ask` gives for the first of the names that the service knows.
 *
 * @param names at least one
 * @throws EscFault
 */
export async function firstKnown<T>(names: readonly FullName[], ask: (name: FullName) => Promise<T>): Promise<T> {
  for (const [index, name] of names.entries()) {
    try {
      return await ask(name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (index < names.length - 1) continue;
      throw new EscFault({ ...error.fault, tried: names.map(formatName) }, error.attempts);
    }
  }
  throw new TypeError("no name to ask for");
}

async function openAndRead(name: FullName, context: SessionContext): Promise<OpenedEnvironment> {
  const { backend, requests, cleaner, repeat } = context;
  const host = authority(new URL(backend));
  const environment = formatName(name);
  // One budget for all: each open may mint credentials, whatever the reason for another.
  const opens: RetryBudget = { retries: 0, maxRetries: MAX_OPEN_RETRIES };
  const reads: RetryBudget = { retries: 0, maxRetries: MAX_READ_RETRIES };
  const open = (): Promise<ReturnType<typeof parseOpened>> =>
    repeat(`opening ${environment}`, opens, async () => parseOpened(await requests.open(name), host, cleaner));
  const read = (session: string): Promise<Omit<OpenedEnvironment, "name">> =>
    repeat(`reading ${environment}`, reads, async () => {
      const answer = await requests.read(name, session);
      // The session has ended since it was opened: not to be taken for an unknown environment.
      if (answer.status === 404) throw new EscFault({ kind: "session", host });
      return readValues(requireObject(answer, host, cleaner), answer.data, name, host);
    });

  let opened = await open();
  let values: Omit<OpenedEnvironment, "name">;
  try {
    values = await read(opened.session);
  } catch (error) {
    if (!(error instanceof EscFault) || error.fault.kind !== "session" || opens.retries >= opens.maxRetries)
      throw error;
    opens.retries += 1;
    opened = await open();
    values = await read(opened.session);
  }
  const { diagnostics } = opened;
  const warned: readonly Notice[] =
    diagnostics.length === 0 ? [] : [{ kind: "esc-diagnostics", environment, diagnostics }];
  return { name, variables: values.variables, notices: [...warned, ...values.notices] };
}

function parseOpened(
  answer: HttpAnswer,
  host: string,
  cleaner: Cleaner,
): { readonly session: string; readonly diagnostics: readonly Diagnostic[] } {
  const fields = requireObject(answer, host, cleaner);
  const { id } = fields;
  const diagnostics = parseDiagnostics(fields["diagnostics"], cleaner);
  if (typeof id === "string" && isSegment(id)) return { session: id, diagnostics };
  if (diagnostics.length === 0) throw new EscFault({ kind: "answer", host, problem: "unexpected" });
  throw new EscFault({ kind: "status", host, status: answer.status, diagnostics });
}

/** A dot segment would change the path of the request that reads; half a surrogate pair has no form in a path. */
function isSegment(id: string): boolean {
  return id !== "" && id !== "." && id !== ".." && isUnicode(id);
}

function isNotFound(
  error: unknown,
): error is EscFault & { readonly fault: Extract<Fault, { readonly kind: "status" }> } {
  return error instanceof EscFault && error.fault.kind === "status" && error.fault.status === 404;
}

/** Creates the answers of the ESC server, before a fault or the network changes them. */
import type { Diagnostic } from "./evaluate.ts";
import { type Json, writeJson } from "./json.ts";
import { rangeJson } from "./wire.ts";

/** The answer to a request, before a fault or the network changes it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function json(value: Json, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { "Content-Type": "application/json", ...headers }, body: writeJson(value) };
}

export function yaml(text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers: { "Content-Type": "application/x-yaml", ...headers }, body: text };
}

export function noContent(): Answer {
  return { status: 204, headers: {}, body: "" };
}

export function failure(status: number, message: string): Answer {
  return json({ code: status, message }, status);
}

export function html(status: number, body: string): Answer {
  return { status, headers: { "Content-Type": "text/html; charset=utf-8" }, body };
}

/** An evaluation error: status 400 with what is wrong and where. `code: null` leaves the code out, as some denials do. */
export function invalidDefinition(
  diagnostics: readonly Diagnostic[],
  status = 400,
  code: number | null = status,
): Answer {
  return json(
    {
      code: code ?? undefined,
      message: code === null ? undefined : "Bad Request: the environment definition is invalid",
      diagnostics: diagnostics.map(diagnosticJson),
    },
    status,
  );
}

export function diagnosticJson({ summary, path, range, severity }: Diagnostic): Json {
  return { range: range === undefined ? undefined : rangeJson(range), summary, path, severity };
}

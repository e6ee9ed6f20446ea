/**
 * Reads ESC in the process of a test, with the settings that variables give, as a start does. The tests of src/esc use
 * this file; each closes its server by `closeStrictly`.
 */
import { findAccessSettings, type EscSettings } from "../../src/esc/settings/access-settings.ts";
import type { Progress } from "../../src/esc/transport/connection.ts";
import type { Clock } from "../../src/esc/transport/deadline.ts";
import type { Failure, Layer, Variable } from "../../src/core/model.ts";
import type { EscServer } from "../esc-server/index.ts";
import { type EscReading, readEsc } from "../../src/sources/esc-layers.ts";
import { resolveEscSettings } from "./esc-settings.ts";

/** The waits and retries that a reading of ESC has reported. */
export interface ProgressLog {
  readonly waiting: string[];
  readonly retries: { what: string; reason: string; attempt: number; delayMs: number }[];
}

/** Options of a start, and what a test observes or replaces. */
export interface ReadOptions {
  readonly timeoutMs?: number;
  readonly insecureHttp?: boolean;
  readonly requireEsc?: boolean;
  readonly sessionMs?: number;
  readonly dotenv?: readonly Layer[];
  /** Gets the waits and retries that are reported. */
  readonly progressLog?: ProgressLog;
  readonly clock?: Clock;
}

/** Returns the settings that variables give. @throws Error if ESC is neither on nor proposed */
export async function resolveSettingsFrom(
  variables: Readonly<Record<string, string>>,
  options: ReadOptions = {},
): Promise<EscSettings> {
  const environment = new Map(Object.entries(variables));
  const { access } = findAccessSettings(environment, options.dotenv ?? [], {
    timeoutMs: options.timeoutMs ?? 20_000,
    insecureHttp: options.insecureHttp ?? false,
    ...(options.requireEsc === undefined ? {} : { requireEsc: options.requireEsc }),
    ...(options.sessionMs === undefined ? {} : { sessionMs: options.sessionMs }),
  });
  return resolveEscSettings(access, environment);
}

/**
 * Reads ESC with the settings that variables give. A failure to read is part of the result.
 *
 * @throws Error if ESC is neither on nor proposed
 */
export async function readEscFrom(
  variables: Readonly<Record<string, string>>,
  options: ReadOptions = {},
): Promise<EscReading> {
  const { progressLog } = options;
  const progress: Progress = {
    waiting: (what) => void progressLog?.waiting.push(what),
    retrying: (retry) => void progressLog?.retries.push({ ...retry }),
  };
  return readEsc(await resolveSettingsFrom(variables, options), progress, options.clock);
}

/** Reads ESC. @throws Error if ESC cannot be read */
export async function expectEscReading(
  variables: Readonly<Record<string, string>>,
  options: ReadOptions = {},
): Promise<Extract<EscReading, { kind: "read" }>> {
  const result = await readEscFrom(variables, options);
  if (result.kind !== "read") throw new Error(`unavailable: ${result.failure.message}`);
  return result;
}

/** Returns the failure of reading ESC. @throws Error if ESC can be read */
export async function expectEscFailure(
  variables: Readonly<Record<string, string>>,
  options: ReadOptions = {},
): Promise<Failure> {
  const result = await readEscFrom(variables, options);
  if (result.kind === "read") throw new Error("ESC was read");
  return result.failure;
}

/** Returns the values of the first layer by the names of their variables. */
export function valuesByName(result: Extract<EscReading, { kind: "read" }>): Record<string, string> {
  return Object.fromEntries((result.layers[0]?.variables ?? []).map(({ name, value }) => [name, value]));
}

/** Returns a variable of the first layer. @throws Error if the layer does not have the variable */
export function requireVariable(result: Extract<EscReading, { kind: "read" }>, name: string): Variable {
  const found = result.layers[0]?.variables.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no variable ${name}`);
  return found;
}

/** Closes a server. @throws Error if a client broke the rules of the API */
export async function closeStrictly(server: EscServer): Promise<void> {
  const { violations } = server;
  await server.close();
  if (violations.length > 0) throw new Error(`the rules of the API are broken: ${violations.join("; ")}`);
}

import { findAccessSettings, type EscSettings } from "../../src/esc/settings/access-settings.ts";
import type { Progress } from "../../src/esc/transport/connection.ts";
import type { Clock } from "../../src/esc/transport/deadline.ts";
import type { Failure, Layer, Variable } from "../../src/core/model.ts";
import type { EscServer } from "../esc-server/index.ts";
import { type EscReading, readEsc } from "../../src/sources/esc-layers.ts";
import { usableByCommand } from "./usable.ts";

/** The waits and retries that were reported. */
export interface ProgressLog {
  readonly waiting: string[];
  readonly retries: { what: string; reason: string; attempt: number; delayMs: number }[];
}

export interface ReadOptions {
  readonly timeoutMs?: number;
  readonly insecureHttp?: boolean;
  readonly requireEsc?: boolean;
  readonly sessionMs?: number;
  readonly dotenv?: readonly Layer[];
  readonly said?: ProgressLog;
  readonly clock?: Clock;
}

/** Settings from variables; fails if ESC is not on. */
export async function settingsFrom(
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
  return usableByCommand(access, environment);
}

export async function read(
  variables: Readonly<Record<string, string>>,
  options: ReadOptions = {},
): Promise<EscReading> {
  const { said } = options;
  const progress: Progress = {
    waiting: (what) => void said?.waiting.push(what),
    retrying: (retry) => void said?.retries.push({ ...retry }),
  };
  return readEsc(await settingsFrom(variables, options), progress, options.clock);
}

/** Reads ESC; fails if that fails. */
export async function reading(
  variables: Readonly<Record<string, string>>,
  options: ReadOptions = {},
): Promise<Extract<EscReading, { kind: "read" }>> {
  const result = await read(variables, options);
  if (result.kind !== "read") throw new Error(`unavailable: ${result.failure.message}`);
  return result;
}

/** Returns the failure of reading ESC; fails if it can be read. */
export async function failing(
  variables: Readonly<Record<string, string>>,
  options: ReadOptions = {},
): Promise<Failure> {
  const result = await read(variables, options);
  if (result.kind === "read") throw new Error("ESC was read");
  return result.failure;
}

/** The values of the first layer, by name. */
export function values(result: Extract<EscReading, { kind: "read" }>): Record<string, string> {
  return Object.fromEntries((result.layers[0]?.variables ?? []).map(({ name, value }) => [name, value]));
}

export function variable(result: Extract<EscReading, { kind: "read" }>, name: string): Variable {
  const found = result.layers[0]?.variables.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no variable ${name}`);
  return found;
}

/** Closes a server; fails if a client broke the rules of the API. */
export async function closeStrictly(server: EscServer): Promise<void> {
  const { violations } = server;
  await server.close();
  if (violations.length > 0) throw new Error(`the rules of the API are broken: ${violations.join("; ")}`);
}

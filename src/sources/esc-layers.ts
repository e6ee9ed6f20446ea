/**
 * Opens the ESC environments that the settings name, and returns their variables as layers: one layer for each environment, the one
 * that wins first. A start calls `readEsc` if ESC is on; with `--cache`, `cached/read.ts` calls it.
 */
import type { Failure, Layer, Notice } from "../core/model.ts";
import { askEsc } from "../esc/api/ask.ts";
import { openAndRead, type OpenedEnvironment } from "../esc/api/open-session.ts";
import type { EscEnvironment, EscFailure } from "./esc-failure.ts";
import { EscFault } from "../esc/faults/esc-fault.ts";
import { isSchemaRefusal } from "../esc/faults/schema-refusal.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { formatName, type FullName } from "../esc/settings/environment-names.ts";
import type { Connection, Progress } from "../esc/transport/connection.ts";
import type { Clock } from "../esc/transport/deadline.ts";

/** The reason why cached values are used: they are `fresh` enough (`--cache-fresh`), `--offline`, or ESC is not available. */
export type CacheUse =
  | { readonly why: "fresh" | "offline" }
  | { readonly why: "unavailable"; readonly failure: Failure };

/** The result of reading ESC, or the cache in its place. */
export type EscReading =
  | {
      readonly kind: "read";
      /** The highest precedence is first: later environments of `ESC_ENV` win. */
      readonly layers: readonly Layer[];
      /** The environments in the order of `ESC_ENV`. */
      readonly environments: readonly EscEnvironment[];
      readonly notices: readonly Notice[];
      /** Set if the values come from the cache. */
      readonly cacheUse?: CacheUse;
    }
  | EscFailure;

/** Values that ESC has just returned. */
export interface FreshReading extends Extract<EscReading, { kind: "read" }> {
  /** Returns true if the values may include credentials that expire with the session. */
  readonly mayMint: () => boolean;
}

/**
 * Opens and reads the environments, in parallel.
 *
 * @throws SophiaError (esc-value, 125) if ESC has a variable with a name or value that no environment variable can have
 */
export async function readEsc(
  settings: EscSettings,
  progress: Progress,
  clock?: Clock,
): Promise<FreshReading | EscFailure> {
  // The SDK is loaded while the connection is made, so that a start does not wait for both in turn.
  const sdkModule = import("../esc/api/sdk.ts");
  const readEnvironment = async (name: FullName, connection: Connection) => {
    const { createRequests } = await sdkModule;
    try {
      return await openAndRead(name, connection, createRequests(connection, settings.sessionMs));
    } catch (error) {
      if (!(error instanceof EscFault && isSchemaRefusal(error.fault))) throw error;
      // A schema refuses a value. The other environments are read anyway, so that all refused values are reported together.
      const { evaluateRejected } = await import("./rejected-environment.ts");
      return evaluateRejected(name, error, error.fault.diagnostics, connection);
    }
  };
  const answer = await askEsc(settings, progress, readEnvironment, clock);
  if (answer.kind !== "read") return answer;
  const { results, remarks } = answer;
  const environments = results.map(toEscEnvironment);
  // Later environments of ESC_ENV win.
  const layers = results.toReversed().map(({ variables }): Layer => ({ source: "esc", variables }));
  const opened = results.filter((result): result is OpenedEnvironment => !("findings" in result));
  if (opened.length < results.length) {
    const { describeRejection } = await import("./rejected-environment.ts");
    return describeRejection(results, { environments, layers }, settings, remarks);
  }
  return {
    kind: "read",
    layers,
    environments,
    notices: [...remarks, ...opened.flatMap(({ notices }) => notices)],
    mayMint: () => opened.some(({ mayMint }) => mayMint()),
  };
}

function toEscEnvironment({ name, revision }: Pick<OpenedEnvironment, "name" | "revision">): EscEnvironment {
  return {
    name: formatName(name),
    ...(name.version === undefined ? {} : { version: name.version }),
    ...(revision === undefined ? {} : { revision }),
  };
}

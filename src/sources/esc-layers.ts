/** Opens the configured ESC environments, and returns their variables as layers. */
import type { Failure, Layer, Notice } from "../core/model.ts";
import { askEsc } from "../esc/api/ask.ts";
import { openAndRead, type OpenedEnvironment } from "../esc/api/open-session.ts";
import type { EscEnvironment, EscFailure } from "./esc-failure.ts";
import { EscFault } from "../esc/faults/esc-fault.ts";
import { isSchemaRefusal } from "../esc/faults/schema-refusal.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { formatName } from "../esc/settings/environment-names.ts";
import type { Progress } from "../esc/transport/connection.ts";
import type { Clock } from "../esc/transport/deadline.ts";

/** The reason why cached values are used: `--cache-fresh`, `--offline`, or that ESC is not available. */
export type CacheUse =
  | { readonly why: "fresh" | "offline" }
  | { readonly why: "unavailable"; readonly failure: Failure };

export type EscReading =
  | {
      readonly kind: "read";
      /** The highest precedence is first: later environments of `ESC_ENV` win. */
      readonly layers: readonly Layer[];
      /** The environments in the order of `ESC_ENV`. */
      readonly environments: readonly EscEnvironment[];
      readonly notices: readonly Notice[];
      /** Set if the values are from the cache. */
      readonly cacheUse?: CacheUse;
    }
  | EscFailure;

/** Values that ESC has just returned. */
interface FreshReading extends Extract<EscReading, { kind: "read" }> {
  /** Returns true if they may include credentials that end with the session. */
  readonly mayMint: () => boolean;
}

/** Opens and reads the environments, in parallel. @throws SophiaError (esc-value, 125) for impossible variables */
export async function readEsc(
  settings: EscSettings,
  progress: Progress,
  clock?: Clock,
): Promise<FreshReading | EscFailure> {
  // The SDK is loaded while the connection is made.
  const loading = import("../esc/api/sdk.ts");
  const answer = await askEsc(
    settings,
    progress,
    async (name, connection) => {
      const { createRequests } = await loading;
      try {
        return await openAndRead(name, connection, createRequests(connection, settings.sessionMs));
      } catch (error) {
        if (!(error instanceof EscFault && isSchemaRefusal(error.fault))) throw error;
        const { rejectedEnvironment } = await import("./rejected-environment.ts");
        return rejectedEnvironment(name, error, error.fault.diagnostics, connection);
      }
    },
    clock,
  );
  if (answer.kind !== "read") return answer;
  const { remarks } = answer;
  const results = answer.results.filter((result): result is OpenedEnvironment => !("findings" in result));
  if (results.length < answer.results.length) {
    return (await import("./rejected-environment.ts")).rejection(answer.results, settings, remarks);
  }
  return {
    kind: "read",
    layers: results.toReversed().map(({ variables }) => ({ source: "esc", variables })),
    environments: results.map(({ name, revision }) => ({
      name: formatName(name),
      ...(name.version === undefined ? {} : { version: name.version }),
      ...(revision === undefined ? {} : { revision }),
    })),
    notices: [...remarks, ...results.flatMap(({ notices }) => notices)],
    mayMint: () => results.some(({ mayMint }) => mayMint()),
  };
}

/** Opens the configured ESC environments, and returns their variables as layers. */
import type { Failure, Layer, Notice } from "../core/model.ts";
import { askEsc, type EscFailure } from "../esc/api/ask.ts";
import { openAndRead } from "../esc/api/open-session.ts";
import type { EscSettings } from "../esc/settings/access-settings.ts";
import { formatName } from "../esc/settings/environment-names.ts";
import type { Progress } from "../esc/transport/connection.ts";
import type { Clock } from "../esc/transport/deadline.ts";

/** An environment that was read. */
export interface EscEnvironment {
  /** The full name: `org/project/name`. */
  readonly name: string;
  /** The requested revision or tag. */
  readonly version?: string;
  /** The revision that was opened, if the service reports it. */
  readonly revision?: string;
  /** The age of values from the cache; absent if they are from ESC. */
  readonly ageSeconds?: number;
}

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
      readonly kept?: CacheUse;
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
      return openAndRead(name, connection, createRequests(connection, settings.sessionMs));
    },
    clock,
  );
  if (answer.kind !== "read") return answer;
  const { results, remarks } = answer;
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

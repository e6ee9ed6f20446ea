import { SophiaError } from "../../core/error.ts";
import { errorName } from "../../system/errors.ts";
import { limitOf } from "../../system/limits.ts";
import { loadRedactAddon, type RedactAddon } from "./addon.ts";
import { openWatcher, type Watcher } from "./watcher.ts";

/** What masking needs of the system; one for all programs that this process starts. */
export interface System {
  readonly addon: RedactAddon;
  readonly watcher: Watcher;
}

/** A pseudo-terminal in front of the real one. */
export interface Terminal extends System {
  /** The real terminal, for its settings and its size; it is closed. */
  readonly real: number;
  /** The launcher's side of the pseudo-terminal; it is closed. */
  readonly master: number;
  /** Resolves when all that the program has written is shown. */
  readonly settle: () => Promise<void>;
}

/**
 * @returns undefined where there is no addon
 * @throws SophiaError (system-limit or redact-pipe, 125)
 */
export async function openSystem(): Promise<System | undefined> {
  const addon = await loadRedactAddon();
  if (addon === undefined) return undefined;
  const watcher = openWatcher(addon);
  if (typeof watcher === "string") throw cannotMask(watcher);
  return { addon, watcher };
}

/** The error for a pipe, terminal, thread or process that masking needs and the system refuses, by the system's code. */
export function cannotMask(code: string): SophiaError {
  const limit = limitOf(code);
  if (limit === undefined) {
    const message = `the output cannot be masked: the system gives no pipe for it (${code})`;
    return new SophiaError({ code: "redact-pipe", message });
  }
  const { message, hint } = limit;
  return new SophiaError({ code: "system-limit", message: `${message}: the output cannot be masked`, hint });
}

/** Another number for the same open file. @throws SophiaError (system-limit or redact-pipe, 125) */
export function duplicate({ duplicate: copyOf }: Pick<RedactAddon, "duplicate">, descriptor: number): number {
  const copy = copyOf(descriptor);
  if (copy < 0) throw cannotMask(errorName(-copy));
  return copy;
}

/**
 * Implements `--watch`: when values in Pulumi ESC change, the program is restarted, or the broker swaps the keys that it adds to
 * the program's requests. The file is loaded only with the option. It checks that all sources can be read again, and returns the
 * `Watch` for the launch. While the program runs, follow-esc.ts has the loop, rounds.ts decides what is done next, and
 * watched-run.ts does it.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../../core/context.ts";
import { SophiaError } from "../../../core/error.ts";
import type { Origin } from "../../../core/model.ts";
import { printable } from "../../../core/text.ts";
import type { Watch } from "../../../launch/index.ts";
import { printLines } from "../../../output/stderr.ts";
import { type Start, followsEsc } from "../../../resolve/start.ts";
import { attempt } from "../../../system/errors.ts";
import { refusePipedToken } from "../piped-token.ts";
import { followProgram, type WatchedStart } from "./watched-run.ts";

/** The default of `--watch-every`. */
const DEFAULT_INTERVAL_MS = 30_000;
/** The default of `--watch-grace`: as long as `docker stop` waits. */
const DEFAULT_GRACE_MS = 10_000;

/**
 * Returns undefined if ESC is not read, after a warning if the user gave the option (and did not inherit the variable).
 *
 * @throws SophiaError (settings, 125) for a value or a token from a pipe, which a restart cannot read again
 */
export function createWatch(watched: WatchedStart, context: Context): Watch | undefined {
  const { start, invocation } = watched;
  const { settings } = start;
  if (!followsEsc(start)) {
    if (invocation.flags["watch"] === true) {
      printLines(context, ["warning: --watch has no effect: ESC is not read"]);
    }
    return undefined;
  }
  refusePipedValues(start, context.cwd);
  refusePipedToken("--watch", start, context);
  const pollingIntervalMs = settings.watchEveryMs ?? DEFAULT_INTERVAL_MS;
  return {
    signal: settings.watchSignal,
    graceMs: settings.watchGraceMs ?? DEFAULT_GRACE_MS,
    follow: (restart, write, mask) => {
      const abortController = new AbortController();
      const { signal } = abortController;
      // The program uses the terminal, so nothing is asked there, and no progress is shown.
      const contextBesideProgram = { ...context, err: write, isTerminal: () => false };
      void followProgram(watched, { restart, mask }, { pollingIntervalMs, context: contextBesideProgram, signal });
      return () => abortController.abort();
    },
  };
}

/**
 * Refuses values from pipes, also those that another source overrides: after a change in ESC, the value from the pipe may win.
 *
 * @throws SophiaError (settings, 125)
 */
function refusePipedValues({ values: { resolution } }: Pick<Start, "values">, cwd: string): void {
  for (const { name, origin, shadowed = [] } of resolution.values()) {
    for (const eachOrigin of [origin, ...shadowed.map((hidden) => hidden.origin)]) {
      const file = findValueFile(eachOrigin);
      const isPipe = file !== undefined && attempt(() => statSync(resolve(cwd, file)).isFIFO()) === true;
      if (!isPipe) continue;
      // A path in a variable `NAME_FILE` is not shown, because the user may have put a secret there by mistake.
      const pathVariable = eachOrigin.source === "environment" ? eachOrigin.read?.by : undefined;
      const pipe = pathVariable === undefined ? printable(file) : `the file in ${pathVariable}`;
      throw new SophiaError({
        code: "settings",
        message: `--watch cannot read ${printable(name)} again for a restart: ${pipe} is a pipe`,
        hint: "put the value into a file, or leave --watch (SOPHIA_WATCH) out",
      });
    }
  }
}

/**
 * Returns the file from which a value was read; undefined if no file has the value. `NAME_FILE` is the origin of its file's value.
 */
function findValueFile(origin: Origin): string | undefined {
  if (origin.source === "environment") return origin.read?.file;
  return "line" in origin && "file" in origin ? origin.file : undefined;
}

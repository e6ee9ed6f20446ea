/**
 * `--watch`: restarts the program, or swaps the broker's keys, when values in ESC change. Loaded only with the option.
 *
 * This file checks that all sources can be read again. `rounds.ts` decides when what is done, `follow-esc.ts` runs the rounds, and
 * `watched-run.ts` performs their actions on the program.
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

const DEFAULT_INTERVAL_MS = 30_000;
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
  const everyMs = settings.watchEveryMs ?? DEFAULT_INTERVAL_MS;
  return {
    signal: settings.watchSignal,
    graceMs: settings.watchGraceMs ?? DEFAULT_GRACE_MS,
    follow: (restart, write, mask) => {
      const end = new AbortController();
      // The terminal is the program's: nothing is asked there, and no progress is shown.
      const contextBesideProgram = { ...context, err: write, isTerminal: () => false };
      void followProgram(watched, { restart, mask }, { everyMs, context: contextBesideProgram, signal: end.signal });
      return () => end.abort();
    },
  };
}

/** Refuses values from pipes, also those that another source overrides: after a change the pipe's value may win. */
function refusePipedValues({ values: { resolution } }: Pick<Start, "values">, cwd: string): void {
  for (const { name, origin, shadowed = [] } of resolution.values()) {
    for (const eachOrigin of [origin, ...shadowed.map((hidden) => hidden.origin)]) {
      const file = fileOf(eachOrigin);
      const isPipe = file !== undefined && attempt(() => statSync(resolve(cwd, file)).isFIFO()) === true;
      if (!isPipe) continue;
      const variable = eachOrigin.source === "environment" ? eachOrigin.read?.by : undefined;
      const pipe = variable === undefined ? printable(file) : `the file in ${variable}`;
      throw new SophiaError({
        code: "settings",
        message: `--watch cannot read ${printable(name)} again for a restart: ${pipe} is a pipe`,
        hint: "put the value into a file, or leave --watch (SOPHIA_WATCH) out",
      });
    }
  }
}

/** Returns the file that a value was read from: a `.env` file, a secrets folder's, or that of `NAME_FILE`. */
function fileOf(origin: Origin): string | undefined {
  if (origin.source === "environment") return origin.read?.file;
  return "line" in origin && "file" in origin ? origin.file : undefined;
}

import { openSync } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import { errorName } from "../../system/errors.ts";
import { limitOf } from "../../system/limits.ts";
import type { Output } from "./plan.ts";
import { closeQuietly, readFrom, type Source } from "./source.ts";
import { cannotMask, duplicate, type System } from "./system.ts";

/** One output before the program runs: a pipe or a pseudo-terminal in front of where it goes. */
export interface Prepared {
  readonly output: Output;
  /** What the program writes goes there, masked. */
  readonly target: number;
  /** undefined where Node.js makes the pipe when it starts the program. */
  readonly source: Source | undefined;
  readonly given: number | "pipe";
  /** It is a terminal for the program, too. */
  readonly isTerminal: boolean;
}

/** @throws SophiaError (system-limit, redact-pipe or redact-terminal, 125) */
export function prepare(output: Output, insists: boolean, isWhole: boolean, system: System | undefined): Prepared {
  const [target] = output.descriptors;
  const ends = output.kind === "terminal" ? system?.addon.makeTerminal(target, isWhole ? 0 : 1) : undefined;
  const isTerminal = typeof ends === "object";
  if (typeof ends === "number" && limitOf(errorName(ends)) !== undefined) throw cannotMask(errorName(ends));
  if (output.kind === "terminal" && !isTerminal && insists) {
    throw new SophiaError({
      code: "redact-terminal",
      message: `--redact has no pseudo-terminal for the program here${typeof ends === "number" ? ` (${errorName(ends)})` : ""}`,
      hint: "send the output through a pipe (| cat), or use --redact=never",
    });
  }
  if (system === undefined) return { output, target, source: undefined, given: "pipe", isTerminal: false };
  const { addon, watcher } = system;
  const pair = isTerminal ? ends : addon.makePipe();
  if (typeof pair === "number") throw cannotMask(errorName(pair));
  const [own, given] = pair;
  const copy = duplicate(addon, target);
  if (isTerminal) addon.copySize(copy, own);
  return { output, target: copy, source: readFrom(own, watcher), given, isTerminal };
}

/** Whoever reads from there sees the end. */
export function closeTarget({ output, target }: Prepared, system: System | undefined): void {
  system?.watcher.forget(target);
  closeQuietly(target);
  if (system !== undefined) return;
  // open(2) takes the lowest free number.
  for (const descriptor of output.descriptors.slice(1)) closeQuietly(descriptor);
  for (const _ of output.descriptors) openSync("/dev/null", "w");
}

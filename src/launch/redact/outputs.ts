import type { ChildProcess } from "node:child_process";
import { openSync } from "node:fs";
import { SophiaError } from "../../core/error.ts";
import { errorName } from "../../system/errors.ts";
import { limitOf } from "../../system/limits.ts";
import { listen, type Undo } from "../listen.ts";
import type { TerminalSignals } from "../spawn/forward.ts";
import type { Launch, Redaction } from "../types.ts";
import { handOver } from "./hand-over.ts";
import { openPartTerminal } from "./part-terminal.ts";
import { isWholeTerminal, planOutputs, type Output } from "./plan.ts";
import { startPump, type Pump } from "./pump.ts";
import { openSession, type Session } from "./session.ts";
import { closeQuietly, readFrom, readFromStream, type Source } from "./source.ts";
import { makeSpeaker, type Speaker } from "./speaker.ts";
import { cannotMask, duplicate, type System } from "./system.ts";

export { openSystem } from "./system.ts";

/** How long the standard error stays open for the launcher's own line after the program has closed it. */
const LAST_WORDS_MS = 100;
/** They end a launcher that waits for a slow reader after the program's end. */
const ENDING: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

/** The program's standard output and standard error while secrets are masked in them. */
export interface Outputs {
  /** What the program gets as these descriptors: another one, or a pipe that Node.js makes. */
  readonly given: ReadonlyMap<number, number | "pipe">;
  /** Those of the descriptors 1 and 2 that are still written to here. */
  readonly kept: readonly number[];
  /** The program runs on a terminal of its own, in which the keys are read here. */
  readonly session: Session | undefined;
  /** Where an output is a terminal and the program has no session of its own: what its signals mean. */
  readonly terminal: TerminalSignals | undefined;
  /** The program runs, and has what was given to it. */
  readonly start: (child: ChildProcess | undefined) => void;
  /** Writes whole lines to the standard error, between those of the program. */
  readonly write: (text: string) => void;
  /**
   * The program has ended: passes on what it wrote. What it left running in the background and may still write is passed
   * on by another process, or goes on here where this one is not the last.
   */
  readonly finish: (isLast: boolean, wasKilled: boolean) => Promise<void>;
  /** Somebody may still write. */
  readonly isOpen: () => boolean;
}

/** One output before the program runs. */
interface Prepared {
  readonly output: Output;
  readonly target: number;
  readonly source: Source | undefined;
  readonly given: number | "pipe";
  /** It is a terminal for the program, too. */
  readonly isTerminal: boolean;
}

/**
 * Puts a pipe in front of each output that somebody can read, or a pseudo-terminal in front of a terminal.
 *
 * @param how whether the program can be started by the monitor, and whether another may take its place
 * @throws SophiaError (125) where that is not possible
 */
export function openOutputs(
  { inherited, preparation }: Launch,
  redaction: Redaction,
  system: System | undefined,
  { mayHaveSession, isRenewed }: { readonly mayHaveSession: boolean; readonly isRenewed: boolean },
): Outputs {
  const addon = system?.addon;
  const planned = planOutputs(addon);
  const isWhole = mayHaveSession && isWholeTerminal(planned, addon);
  const prepared = planned.map((output) => prepare(output, redaction, isWhole, system));
  const errors = prepared.find(({ output }) => output.descriptors.some((descriptor) => descriptor === 2));
  const speaker = makeSpeaker(errors?.target, isWhole ? "\r\n" : "\n");
  const pumps: Pump[] = [];
  const terminals = prepared.filter(({ isTerminal }) => isTerminal);
  const session =
    isWhole && system !== undefined
      ? terminals.map((one) => sessionOn(one, pumps, inherited.numbers, system))[0]
      : undefined;
  const settle = async (): Promise<void> => void (await Promise.all(pumps.map((pump) => pump.settle())));
  const [terminal] = terminals;
  const shown =
    terminal === undefined || system === undefined || session !== undefined
      ? undefined
      : openPartTerminal({
          ...system,
          real: duplicate(system.addon, terminal.target),
          master: duplicate(system.addon, terminal.source?.descriptor ?? -1),
          settle,
        });
  let isSettled = false;
  const open = new Set<Pump>();

  const given = new Map(
    prepared.flatMap((one) => one.output.descriptors.map((descriptor) => [descriptor, one.given] as const)),
  );
  return {
    given,
    session,
    terminal: shown?.signals,
    kept: addon === undefined ? [...given.keys()] : [],
    start: (child) => {
      for (const one of prepared) {
        if (typeof one.given === "number" && session === undefined) closeQuietly(one.given);
        const stream = one.output.descriptors[0] === 1 ? child?.stdout : child?.stderr;
        const source = one.source ?? (stream ? readFromStream(stream) : undefined);
        if (source === undefined) continue;
        const events = eventsOf(one, redaction, speaker, system, isRenewed);
        const pump = startPump(source, one.target, redaction.masking.stream(), {
          ...events,
          came: one.isTerminal ? shown?.looked : undefined,
          failed: (code) => {
            if (one.isTerminal) shown?.close();
            events.failed(code);
          },
          ended: () => {
            open.delete(pump);
            events.ended();
          },
        });
        open.add(pump);
        pumps.push(pump);
        system?.watcher.whenUnread(one.target, () => {
          if (session !== undefined) return session.lose();
          if (one.isTerminal) shown?.close();
          pump.loseReader();
        });
      }
      // In the time in which the program starts.
      setImmediate(() => redaction.masking.prepare(addon));
    },
    write: speaker.write,
    isOpen: () => open.size > 0,
    finish: async (isLast, wasKilled) => {
      let stopListening: Undo = () => {};
      const abandoned = new Promise<void>((resolve) => {
        stopListening = listen(ENDING, (signal) => session?.isOwn(signal) === true || resolve());
      });
      const settled = async (): Promise<void> => {
        await session?.collect();
        await settle();
        await Promise.all(pumps.map(({ flush }) => flush()));
        await speaker.finish();
        shown?.end(wasKilled);
        session?.restore();
        session?.close();
      };
      if (!isLast) {
        isSettled = true;
        await Promise.race([settled(), abandoned]).finally(stopListening);
        return;
      }
      const finished = async (): Promise<void> => {
        if (!isSettled) await session?.collect();
        const drained = await Promise.all(pumps.map(async (pump) => ((await pump.drain()) ? [] : [pump])));
        // PID 1 takes all others with it.
        const left = addon === undefined || preparation.firstProcess ? [] : drained.flat();
        await Promise.all(pumps.filter((pump) => !left.includes(pump)).map(({ flush }) => flush()));
        await speaker.finish();
        shown?.end(wasKilled);
        if (!isSettled) session?.restore();
        if (left.length > 0) await handOver(left, redaction.secrets);
      };
      // Without the threads whose writes nobody reads: they are left as they are.
      await Promise.race([finished(), abandoned]);
    },
  };
}

function prepare(output: Output, redaction: Redaction, isWhole: boolean, system: System | undefined): Prepared {
  const [target] = output.descriptors;
  const ends = output.kind === "terminal" ? system?.addon.makeTerminal(target, isWhole ? 0 : 1) : undefined;
  const isTerminal = typeof ends === "object";
  if (typeof ends === "number" && limitOf(errorName(ends)) !== undefined) throw cannotMask(errorName(ends));
  if (output.kind === "terminal" && !isTerminal && redaction.insists) {
    throw new SophiaError({
      code: "redact-terminal",
      message: `--redact has no pseudo-terminal for the program here${typeof ends === "number" ? ` (${errorName(ends)})` : ""}`,
      hint: "send the output through a pipe (| cat), or use --redact=never",
    });
  }
  if (system === undefined) return { output, target, source: undefined, given: "pipe", isTerminal: false };
  const { addon, watcher } = system;
  const [own, other] = isTerminal ? ends : pairOf(addon.makePipe());
  const copy = duplicate(addon, target);
  if (isTerminal) addon.copySize(copy, own);
  return { output, target: copy, source: readFrom(own, watcher), given: other, isTerminal };
}

/** @throws SophiaError (system-limit or redact-pipe, 125) */
function pairOf(ends: readonly [number, number] | number): readonly [number, number] {
  if (typeof ends === "number") throw cannotMask(errorName(ends));
  return ends;
}

function sessionOn(
  { target, source, given }: Prepared,
  pumps: readonly Pump[],
  inherited: readonly number[],
  { addon, watcher }: System,
): Session {
  return openSession({
    addon,
    watcher,
    // One of its own: the other is closed when nobody can write any more.
    real: duplicate(addon, target),
    input: duplicate(addon, 0),
    master: duplicate(addon, source?.descriptor ?? -1),
    slave: typeof given === "number" ? given : -1,
    inherited,
    settle: async () => void (await Promise.all(pumps.map(({ settle }) => settle()))),
    hangUp: () => {
      for (const { breakOff } of pumps) breakOff();
    },
  });
}

function eventsOf(
  { output, target }: Prepared,
  { notice }: Redaction,
  speaker: Speaker,
  system: System | undefined,
  isRenewed: boolean,
): Parameters<typeof startPump>[3] {
  const isErrors = output.descriptors.some((descriptor) => descriptor === 2);
  const name = output.descriptors[0] === 1 ? "output" : "error";
  return {
    masked: () => {
      const line = notice?.(output.file);
      if (line !== undefined) speaker.say(line);
    },
    wrote: async (last) => (isErrors ? speaker.wrote(last) : undefined),
    failed: (code) => {
      if (isErrors) speaker.mute();
      else if (code !== "EPIPE") speaker.say(`the standard ${name} cannot be written (${code})`);
    },
    ended: () => {
      const close = (): void => {
        if (isErrors) speaker.mute();
        // Without the addon it is the launcher's own, which the next program gets.
        if (system !== undefined || !isRenewed) closeTarget(output, target, system);
      };
      // A program that ends closes both streams. What has come through the other one may still have to be told here, and
      // that another takes its place.
      if (isErrors && (notice !== undefined || isRenewed)) setTimeout(close, LAST_WORDS_MS);
      else close();
    },
  };
}

/** Whoever reads from there sees the end. */
function closeTarget({ descriptors }: Output, target: number, system: System | undefined): void {
  system?.watcher.forget(target);
  closeQuietly(target);
  if (system !== undefined) return;
  // open(2) takes the lowest free number.
  for (const descriptor of descriptors.slice(1)) closeQuietly(descriptor);
  for (const _ of descriptors) openSync("/dev/null", "w");
}

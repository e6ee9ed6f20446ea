/**
 * The masked outputs of one program. output-stages.ts decides what happens to them: what a failed write, a reader that has ended, or the
 * program's end leads to. The class `Outputs` turns these events into calls of output-stages.ts, and performs the effects.
 */
import type { ChildProcess } from "node:child_process";
import { maskingOf, addFormerSecrets } from "../../masking/masking.ts";
import type { Secret } from "../../masking/masking-model.ts";
import { listen, type Undo } from "../event-listeners.ts";
import type { TerminalSignals } from "../spawn/forward-signals.ts";
import type { OutputMasking } from "../types.ts";
import { handOver } from "./hand-over.ts";
import { closeQuietly } from "./io.ts";
import type { messageWriter } from "./messages.ts";
import type { openPartTerminal } from "./part-terminal.ts";
import { startPump, type Pump } from "./pump.ts";
import type { openSession } from "./terminal-session.ts";
import { readFromStream } from "./source.ts";
import * as stages from "./output-stages.ts";
import { closeTarget, type PreparedOutput } from "./streams.ts";
import type { System } from "./masking-system.ts";

/**
 * The time for which the standard error stays open for a message after the program has closed it. The time passes in steps, since
 * each gives the event loop a turn for the last output, even if this process had no processor for longer than the whole time.
 */
const LAST_MESSAGE_MS = 100;
const STEP_MS = 10;
/** The signals that end a launcher which waits for a slow reader after the program's end. */
const END_SIGNALS: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

/** The pumps of the streams that have been started, by the number of the stream. */
export type Pumps = Map<number, Pump>;

/** The parts that open.ts opens before the program is started. */
export interface OpenedOutputs {
  readonly prepared: readonly PreparedOutput[];
  /** undefined without the addon. */
  readonly system: System | undefined;
  readonly messages: ReturnType<typeof messageWriter>;
  readonly pumps: Pumps;
  readonly session: ReturnType<typeof openSession> | undefined;
  readonly partTerminal: ReturnType<typeof openPartTerminal> | undefined;
}

export class Outputs {
  /** By the program's descriptor: what the program gets in its place. */
  readonly programSides: ReadonlyMap<number, number | "pipe">;
  readonly session: OpenedOutputs["session"];
  readonly terminal: TerminalSignals | undefined;
  /** The descriptors, of 1 and 2, to which this process still writes. */
  readonly keptDescriptors: readonly number[];
  /** Writes to the standard error, between the program's lines. */
  readonly write: (text: string) => void;
  private readonly opened: OpenedOutputs;
  private outputMasking: OutputMasking;
  private state: stages.State;

  constructor(opened: OpenedOutputs, outputMasking: OutputMasking, state: stages.State) {
    const { prepared, system, messages, session, partTerminal } = opened;
    this.opened = opened;
    this.outputMasking = outputMasking;
    this.state = state;
    this.programSides = new Map(
      prepared.flatMap(({ output, programSide }) =>
        output.descriptors.map((descriptor) => [descriptor, programSide] as const),
      ),
    );
    this.keptDescriptors = system === undefined ? [...this.programSides.keys()] : [];
    this.session = session;
    this.terminal = partTerminal?.signals;
    this.write = messages.write;
  }

  /** Begins to mask what the program writes. @param child undefined in a session, whose program has no pipes */
  start(child: ChildProcess | undefined): void {
    this.opened.prepared.forEach((output, stream) => this.startStream(output, stream, child));
    setImmediate(() => this.outputMasking.masking.prepare(this.opened.system?.addon));
  }

  /** Masks later output by other secrets, which must include the present ones. */
  maskBy(outputMasking: OutputMasking): void {
    const { system, pumps } = this.opened;
    this.outputMasking = outputMasking;
    outputMasking.masking.prepare(system?.addon);
    pumps.forEach((pump) => pump.maskBy(outputMasking.masking));
  }

  /** Masks later output by further secrets as well. */
  maskFurther(further: readonly Secret[]): void {
    const { secrets } = addFormerSecrets(further, this.outputMasking.secrets);
    this.maskBy({ ...this.outputMasking, secrets, masking: maskingOf(secrets) });
  }

  /** Returns true if a background process of the program may still write. */
  isOpen(): boolean {
    return this.state.open.size > 0;
  }

  /** Returns true if output was lost, as on a full disk. */
  isIncomplete(): boolean {
    return this.state.isIncomplete;
  }

  /**
   * Passes on the output of a program that has ended. If background processes of the program still write, another process continues to
   * mask it, or this one.
   *
   * `isLast`: the program is not restarted. `wasKilled`: a signal has ended it.
   */
  async finish({ isLast, wasKilled }: { readonly isLast: boolean; readonly wasKilled: boolean }): Promise<void> {
    let stopListening: Undo = () => {};
    const endSignal = new Promise<void>((resolve) => {
      stopListening = listen(END_SIGNALS, (signal) => this.session?.isOwn(signal) === true || resolve());
    });
    // A thread may write to a reader that does not read. A signal ends the wait for it.
    await Promise.race([this.end({ kind: "finish", isLast, wasKilled }), endSignal]).finally(
      () => isLast || stopListening(),
    );
  }

  private startStream(prepared: PreparedOutput, stream: number, child: ChildProcess | undefined): void {
    const { output, target, programSide, isTerminal } = prepared;
    const { system, messages, pumps, partTerminal } = this.opened;
    if (typeof programSide === "number" && this.session === undefined) closeQuietly(programSide);
    const pipe = output.descriptors[0] === 1 ? child?.stdout : child?.stderr;
    const source = prepared.source ?? (pipe ? readFromStream(pipe) : undefined);
    if (source === undefined) return;
    const pump = startPump(source, target, this.outputMasking.masking.stream(undefined, system?.addon), {
      received: isTerminal ? partTerminal?.wrote : undefined,
      masked: () => {
        const notice = this.outputMasking.notice?.(output.file);
        if (notice !== undefined) this.writeLine(notice);
      },
      wrote: async (lastByte) => (this.isErrors(stream) ? messages.wrote(lastByte) : undefined),
      failed: (code) => this.happen({ kind: "failed", stream, code }),
      ended: () => this.happen({ kind: "ended", stream }),
    });
    pumps.set(stream, pump);
    this.state = { ...this.state, open: new Set([...this.state.open, stream]) };
    system?.watcher.whenUnread(target, () => this.happen({ kind: "unread", stream }));
  }

  /** Returns true for the stream of the standard error. */
  private isErrors(stream: number): boolean {
    return this.state.streams[stream]?.isErrors === true;
  }

  private writeLine(line: string): void {
    this.write(`sophia-run: ${line}\n`);
  }

  private happen(event: stages.StreamEvent): void {
    const [state, effects] = stages.step(this.state, event);
    this.state = state;
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: stages.Effect): void {
    const { messages, pumps, partTerminal } = this.opened;
    switch (effect.kind) {
      case "write":
        return this.writeLine(effect.line);
      case "disable messages":
        return messages.disable();
      case "close terminal":
        return partTerminal?.close();
      case "lose session":
        return this.session?.lose();
      case "lose reader":
        return void pumps.get(effect.stream)?.loseReader();
      case "close target":
        this.closeAfter(effect.later ? LAST_MESSAGE_MS : 0, effect.stream);
    }
  }

  private async end(event: stages.EndEvent): Promise<void> {
    const [state, effects] = stages.end(this.state, event);
    this.state = state;
    for (const effect of effects) await this.performEnd(effect);
  }

  private async performEnd(effect: stages.EndEffect): Promise<unknown> {
    const { messages, pumps, partTerminal } = this.opened;
    switch (effect.kind) {
      case "collect keys":
        return this.session?.collect();
      case "sync":
        return syncAll(pumps);
      case "drain":
        return this.end({ kind: "drained", left: await this.drain(), wasKilled: effect.wasKilled });
      case "flush":
        return Promise.all(effect.streams.map(async (stream) => pumps.get(stream)?.flush()));
      case "finish messages":
        return messages.finish();
      case "end terminal":
        return partTerminal?.end(effect.wasKilled);
      case "restore session":
        return this.session?.restore();
      case "close session":
        return this.session?.close();
      case "hand over": {
        const left = effect.streams.flatMap((stream) => pumps.get(stream) ?? []);
        return handOver(left, this.outputMasking.secrets);
      }
    }
  }

  /** Passes on the available output. @returns the streams that still have a writer */
  private async drain(): Promise<readonly number[]> {
    const left: number[] = [];
    await Promise.all(
      Array.from(this.opened.pumps, async ([stream, pump]) => (await pump.source.drain()) || left.push(stream)),
    );
    return left;
  }

  private closeAfter(ms: number, stream: number): void {
    if (ms <= 0) void this.close(stream);
    else setTimeout(() => this.closeAfter(ms - STEP_MS, stream), STEP_MS);
  }

  private async close(stream: number): Promise<void> {
    const { prepared, system, messages } = this.opened;
    const output = prepared[stream];
    if (this.isErrors(stream)) {
      // A message may wait for the end of a line.
      await messages.finish();
      messages.disable();
    }
    // Without the addon the target is a standard stream of this process, which the next program needs.
    if (output !== undefined && (system !== undefined || !this.state.isRenewed)) closeTarget(output, system);
  }
}

/** Passes on the available output of all streams. The beginning of a secret waits if the stream still has a writer. */
export async function syncAll(pumps: Pumps): Promise<void> {
  await Promise.all(Array.from(pumps.values(), (pump) => pump.sync()));
}

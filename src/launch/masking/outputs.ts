/**
 * The masked outputs of one program, which open.ts opens and start-child.ts starts and finishes. output-stages.ts decides what
 * happens when a write fails, when a reader has ended, or when the program has ended. The class `Outputs` passes these events to
 * output-stages.ts, and performs the effects that it returns.
 */
import type { ChildProcess } from "node:child_process";
import { createMasking, addFormerSecrets } from "../../masking/masking.ts";
import type { Secret } from "../../masking/masking-model.ts";
import { listenToSignals, type RemoveListeners } from "../event-listeners.ts";
import type { TerminalSignals } from "../spawn/forward-signals.ts";
import type { OutputMasking } from "../types.ts";
import { handOver } from "./hand-over.ts";
import { closeQuietly } from "./io.ts";
import type { createMessageWriter } from "./messages.ts";
import type { PartTerminal } from "./part-terminal.ts";
import { startPump, type Pump } from "./pump.ts";
import type { TerminalSession } from "./terminal-session.ts";
import { readFromStream } from "./source.ts";
import * as stages from "./output-stages.ts";
import { closeTarget, type PreparedOutput } from "./streams.ts";
import type { System } from "./masking-system.ts";

/** The time for which the standard error stays open for a message after the program has closed it. */
const LAST_MESSAGE_MS = 100;
/**
 * `LAST_MESSAGE_MS` passes in steps of this time. Each step gives the event loop a turn for the last output, even if this process
 * had no processor for longer than the whole time.
 */
const STEP_MS = 10;
/** The signals that end a launcher which waits for a slow reader after the program's end. */
const END_SIGNALS: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];

/** The pumps of the streams that have been started, by the index of the stream. */
export type Pumps = Map<number, Pump>;

/** The parts that open.ts opens before the program is started. */
export interface OpenedOutputs {
  readonly prepared: readonly PreparedOutput[];
  /** undefined without the addon. */
  readonly system: System | undefined;
  readonly messages: ReturnType<typeof createMessageWriter>;
  readonly pumps: Pumps;
  readonly session: TerminalSession | undefined;
  readonly partTerminal: PartTerminal | undefined;
}

/** The masked outputs of one program. `start` begins to mask them, and `finish` must be called once the program has ended. */
export class Outputs {
  /** The replacements of the program's descriptors 1 and 2: descriptors of this process, or pipes that Node.js makes. */
  readonly programSides: ReadonlyMap<number, number | "pipe">;
  readonly session: OpenedOutputs["session"];
  /** The handlers of signals of a terminal that is not the terminal of a session. */
  readonly terminal: TerminalSignals | undefined;
  /** The descriptors 1 and 2 of this process, if it still writes masked output to them. */
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
    // In a later turn of the event loop, because this may take some milliseconds.
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
  maskFurther(furtherSecrets: readonly Secret[]): void {
    const { secrets } = addFormerSecrets(furtherSecrets, this.outputMasking.secrets);
    this.maskBy({ ...this.outputMasking, secrets, masking: createMasking(secrets) });
  }

  /** Returns true if a background process of the program may still write. */
  hasWriter(): boolean {
    return this.state.open.size > 0;
  }

  /** Returns true if output was lost, as on a full disk. */
  hasLostOutput(): boolean {
    return this.state.isOutputLost;
  }

  /**
   * Passes on the output of a program that has ended. If background processes of the program still write, their output is masked as
   * well: by another process (hand-over.ts) if `isLast`, otherwise by this process.
   *
   * `isLast`: the program is not restarted. `wasKilled`: a signal has ended the program.
   */
  async finish({ isLast, wasKilled }: { readonly isLast: boolean; readonly wasKilled: boolean }): Promise<void> {
    let stopListening: RemoveListeners = () => {};
    const endSignal = new Promise<void>((resolve) => {
      stopListening = listenToSignals(
        END_SIGNALS,
        (signal) => this.session?.isSentByThisProcess(signal) === true || resolve(),
      );
    });
    // The reader of an output may not read, so that a write does not end. A signal ends the wait for that.
    await Promise.race([this.handleEnd({ kind: "finish", isLast, wasKilled }), endSignal]).finally(() => {
      // After the last program the listeners stay: a late signal must not change the status with which this process ends.
      if (!isLast) stopListening();
    });
  }

  private startStream(prepared: PreparedOutput, stream: number, child: ChildProcess | undefined): void {
    const { output, target, programSide, isTerminal } = prepared;
    const { system, messages, pumps, partTerminal } = this.opened;
    // A session closes the program's side itself.
    if (typeof programSide === "number" && this.session === undefined) closeQuietly(programSide);
    const pipe = output.descriptors[0] === 1 ? child?.stdout : child?.stderr;
    const source = prepared.source ?? (pipe ? readFromStream(pipe) : undefined);
    if (source === undefined) return;
    const pump = startPump(source, target, this.outputMasking.masking.stream(undefined, system?.addon), {
      received: isTerminal ? () => partTerminal?.handleOutput() : undefined,
      masked: () => {
        const notice = this.outputMasking.notice?.(output.file);
        if (notice !== undefined) this.writeLine(notice);
      },
      wrote: async (lastByte) => (this.isStandardError(stream) ? messages.wrote(lastByte) : undefined),
      failed: (code) => this.handle({ kind: "failed", stream, code }),
      ended: () => this.handle({ kind: "ended", stream }),
    });
    pumps.set(stream, pump);
    this.state = { ...this.state, open: new Set([...this.state.open, stream]) };
    system?.watcher.whenUnread(target, () => this.handle({ kind: "unread", stream }));
  }

  private isStandardError(stream: number): boolean {
    return this.state.streams[stream]?.isStandardError === true;
  }

  private writeLine(line: string): void {
    this.write(`sophia-run: ${line}\n`);
  }

  private handle(event: stages.StreamEvent): void {
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
        return this.session?.handleLostReader();
      case "lose reader":
        return void pumps.get(effect.stream)?.loseReader();
      case "close target":
        this.closeAfter(effect.isDelayed ? LAST_MESSAGE_MS : 0, effect.stream);
    }
  }

  private async handleEnd(event: stages.EndEvent): Promise<void> {
    const [state, effects] = stages.end(this.state, event);
    this.state = state;
    for (const effect of effects) await this.performEnd(effect);
  }

  private async performEnd(effect: stages.EndEffect): Promise<unknown> {
    const { messages, pumps, partTerminal } = this.opened;
    switch (effect.kind) {
      case "collect keys":
        return this.session?.collectKeys();
      case "sync":
        return syncAll(pumps);
      case "drain":
        return this.handleEnd({ kind: "drained", open: await this.drain(), wasKilled: effect.wasKilled });
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
        const handedOver = effect.streams.flatMap((stream) => pumps.get(stream) ?? []);
        return handOver(handedOver, this.outputMasking.secrets);
      }
    }
  }

  /** Passes on the available output. @returns the indexes of the streams that still have a writer */
  private async drain(): Promise<readonly number[]> {
    const openStreams: number[] = [];
    await Promise.all(
      Array.from(this.opened.pumps, async ([stream, pump]) => {
        const hasEnded = await pump.source.drain();
        if (!hasEnded) openStreams.push(stream);
      }),
    );
    return openStreams;
  }

  /** Closes the target of a stream after some time. */
  private closeAfter(ms: number, stream: number): void {
    if (ms <= 0) void this.close(stream);
    else setTimeout(() => this.closeAfter(ms - STEP_MS, stream), STEP_MS);
  }

  private async close(stream: number): Promise<void> {
    const { prepared, system, messages } = this.opened;
    const output = prepared[stream];
    if (this.isStandardError(stream)) {
      // A message may wait for the end of a line.
      await messages.finish();
      messages.disable();
    }
    // Without the addon the target is a standard stream of this process, which the next program needs.
    if (output !== undefined && (system !== undefined || !this.state.mayRestart)) closeTarget(output, system);
  }
}

/** Passes on the available output of all streams. The beginning of a secret waits if the stream still has a writer. */
export async function syncAll(pumps: Pumps): Promise<void> {
  await Promise.all(Array.from(pumps.values(), (pump) => pump.sync()));
}

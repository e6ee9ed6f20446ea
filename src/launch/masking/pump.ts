/**
 * A pump copies what the program writes to one output, and masks it on the way: it reads from a source (source.ts), and writes to the
 * descriptor to which the program would have written. outputs.ts has one pump for each output.
 */
import type { Masking } from "../../masking/masking.ts";
import type { Masker } from "../../masking/stream.ts";
import { writeAll } from "./io.ts";
import type { Source } from "./source.ts";

/** After a silence of this time, the pump passes on the beginning of a secret if it reveals little (masking/silence.ts). */
export const SILENCE_MS = 50;
const NEWLINE = 10;

export interface PumpEvents {
  /** Called when the program has written, before the bytes are passed on. */
  readonly received?: (() => void) | undefined;
  /** Called after a write with masks. */
  readonly masked: () => void;
  /** Called after each write, with its last byte. */
  readonly wrote: (lastByte: number) => Promise<void>;
  /** Called once, if a write fails. @param code of the system's error */
  readonly failed: (code: string) => void;
  /** Called when all bytes were passed on or dropped, so that the target may be closed. */
  readonly ended: () => void;
}

/** Starts to copy a source to a descriptor, masked. @param target the descriptor; the pump does not close it */
export function startPump(source: Source, target: number, masker: Masker, events: PumpEvents): Pump {
  const pump = new Pump(source, target, masker, events);
  pump.start();
  return pump;
}

export class Pump {
  readonly source: Source;
  readonly target: number;
  readonly #events: PumpEvents;
  #masker: Masker;
  #silenceTimer: NodeJS.Timeout | undefined;
  /** True if later output is dropped. */
  #isBroken = false;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(source: Source, target: number, masker: Masker, events: PumpEvents) {
    this.source = source;
    this.target = target;
    this.#masker = masker;
    this.#events = events;
  }

  get masker(): Masker {
    return this.#masker;
  }

  start(): void {
    this.source.start(
      (chunk) => this.#take(chunk),
      () => void this.flush().then(this.#events.ended),
    );
    // The masker may hold back bytes of another process (hand-over.ts).
    this.#awaitSilence();
  }

  /**
   * Passes on the available output, and continues to read. The beginning of a secret waits if there is still a writer, unless it reveals
   * little.
   */
  async sync(): Promise<void> {
    const isEnd = await this.source.drain();
    if (isEnd || this.#masker.revealsLittle) await this.flush();
    if (isEnd) this.source.close();
    else this.source.resume();
  }

  /** Passes on what the masker holds back. */
  async flush(): Promise<void> {
    clearTimeout(this.#silenceTimer);
    await this.#passOn(() => this.#masker.flush());
  }

  /** Drops what the program writes from now on. */
  breakOff(): void {
    this.#isBroken = true;
    this.source.close();
  }

  /**
   * Ends the pump because the target has no reader any more. It passes on the last bytes, so that this process gets the SIGPIPE that the
   * program would have got.
   */
  async loseReader(): Promise<void> {
    await this.source.drain();
    // Bytes that the program wrote just before the close are lost. Any other byte raises the signal as well.
    if (this.source.close() > 0) await this.#passOn(() => Uint8Array.of(NEWLINE));
    this.breakOff();
  }

  /** Masks by other secrets from now on: the bytes that are held back, and all later ones. It does not wait for a slow reader. */
  maskBy(masking: Masking): void {
    this.#masker = masking.stream(this.#masker.state());
  }

  async #take(chunk: Uint8Array): Promise<void> {
    clearTimeout(this.#silenceTimer);
    this.#events.received?.();
    const chunkWrite = this.#passOn(() => this.#masker.push(chunk));
    await chunkWrite;
    // Otherwise more was written meanwhile, and the silence begins after that.
    if (chunkWrite === this.#lastWrite) this.#awaitSilence();
  }

  #awaitSilence(): void {
    if (this.#masker.heldCharacters === 0) return;
    this.#silenceTimer = setTimeout(() => this.#masker.revealsLittle && void this.flush(), SILENCE_MS);
  }

  /** Masks at once, and writes after all earlier writes. */
  #passOn(mask: () => Uint8Array): Promise<void> {
    const maskCountBefore = this.#masker.maskCount;
    const bytes = mask();
    const hasMasks = this.#masker.maskCount > maskCountBefore;
    this.#lastWrite = this.#lastWrite.then(() => this.#write(bytes, hasMasks));
    return this.#lastWrite;
  }

  async #write(bytes: Uint8Array, hasMasks: boolean): Promise<void> {
    const lastByte = bytes.at(-1);
    if (lastByte === undefined || this.#isBroken) return;
    const code = await writeAll(this.target, bytes);
    if (code !== undefined) {
      this.breakOff();
      this.#events.failed(code);
      return;
    }
    await this.#events.wrote(lastByte);
    if (hasMasks) this.#events.masked();
  }
}

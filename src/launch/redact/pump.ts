import type { StreamState } from "../../masking/model.ts";
import type { Masker } from "../../masking/stream.ts";
import { writeAll } from "./sink.ts";
import type { Source } from "./source.ts";

/** After such a silence fewer bytes than these are not held back: a prompt must appear, and they tell nothing. */
const SILENCE_MS = 150;
const TELLING_BYTES = 4;

export interface PumpEvents {
  /** The program has written; called before it is passed on. */
  readonly came?: (() => void) | undefined;
  /** Secrets were masked in what was passed on. */
  readonly masked: () => void;
  /** Called after each write, with its last byte. */
  readonly wrote: (last: number) => Promise<void>;
  /** Writing has failed; the program's next write will fail, too. */
  readonly failed: (code: string) => void;
  /** All was passed on, or given up; the target is not needed any more. */
  readonly ended: () => void;
}

export type Pump = ReturnType<typeof startPump>;

/**
 * Passes on what the program writes to one stream, masked.
 *
 * @param masker may have been given the state in which another process has left the stream
 */
export function startPump(source: Source, target: number, masker: Masker, events: PumpEvents) {
  let masked = 0;
  let silence: NodeJS.Timeout | undefined;
  let isBroken = false;
  let last: Promise<void> = Promise.resolve();

  const breakOff = (): void => {
    isBroken = true;
    source.close();
  };
  const pass = async (bytes: Uint8Array): Promise<void> => {
    const byte = bytes.at(-1);
    if (byte === undefined || isBroken) return;
    const code = await writeAll(target, bytes);
    if (code !== undefined) {
      breakOff();
      events.failed(code);
      return;
    }
    await events.wrote(byte);
    if (masker.masked > masked) events.masked();
    masked = masker.masked;
  };
  // One after the other: a silence may end while its bytes are written.
  const inTurn = async (step: () => Promise<void>): Promise<void> => {
    last = last.then(step);
    await last;
  };
  const release = (): Promise<void> => pass(masker.flush());
  const awaitSilence = (): void => {
    if (masker.held === 0 || masker.held >= TELLING_BYTES) return;
    silence = setTimeout(() => void inTurn(release), SILENCE_MS);
  };
  const take = async (chunk: Uint8Array): Promise<void> => {
    clearTimeout(silence);
    events.came?.();
    await inTurn(async () => {
      await pass(masker.push(chunk));
      awaitSilence();
    });
  };
  const flush = async (): Promise<void> => {
    clearTimeout(silence);
    await inTurn(release);
  };
  source.start(take, () => void flush().then(events.ended));
  awaitSilence();
  return {
    /** Passes on what the program has written. @returns true if nothing can be written to the stream any more */
    drain: (): Promise<boolean> => source.drain(),
    /** Passes on what the program has written but for the beginning of a secret, and goes on. */
    settle: async (): Promise<void> => {
      const isEnd = await source.drain();
      if (masker.held < TELLING_BYTES) await flush();
      if (isEnd) source.close();
      else source.resume();
    },
    /** Passes on what is still held back. */
    flush,
    state: (): StreamState => masker.state(),
    /** Gives the stream up: the program's next write fails. */
    breakOff,
    /**
     * Gives the stream up when nobody reads any more. What the program has written after that would have brought it
     * SIGPIPE: passing it on raises the signal in this process, which forwards it.
     */
    loseReader: (): void => void source.drain().then(breakOff),
    source,
    target,
  };
}

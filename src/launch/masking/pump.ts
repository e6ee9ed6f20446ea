/**
 * A pump copies what the program writes to one output, and masks it on the way: it reads from a source (source.ts), and writes to the
 * descriptor that the program would have written to. outputs.ts has one for each output.
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

export type Pump = ReturnType<typeof startPump>;

/** Starts to copy a source to a descriptor, masked. @param target the descriptor; the pump does not close it */
export function startPump(source: Source, target: number, firstMasker: Masker, events: PumpEvents) {
  let masker = firstMasker;
  let silenceTimer: NodeJS.Timeout | undefined;
  let isBroken = false;
  let lastWrite: Promise<void> = Promise.resolve();

  const breakOff = (): void => {
    isBroken = true;
    source.close();
  };
  const write = async (bytes: Uint8Array, hasMasks: boolean): Promise<void> => {
    const lastByte = bytes.at(-1);
    if (lastByte === undefined || isBroken) return;
    const code = await writeAll(target, bytes);
    if (code !== undefined) {
      breakOff();
      events.failed(code);
      return;
    }
    await events.wrote(lastByte);
    if (hasMasks) events.masked();
  };
  /** Masks at once, and writes after the writes before. */
  const passOn = (mask: () => Uint8Array): Promise<void> => {
    const maskCountBefore = masker.maskCount;
    const bytes = mask();
    const hasMasks = masker.maskCount > maskCountBefore;
    lastWrite = lastWrite.then(() => write(bytes, hasMasks));
    return lastWrite;
  };
  const flush = async (): Promise<void> => {
    clearTimeout(silenceTimer);
    await passOn(() => masker.flush());
  };
  const awaitSilence = (): void => {
    if (masker.heldCharacters === 0) return;
    silenceTimer = setTimeout(() => masker.revealsLittle && void flush(), SILENCE_MS);
  };
  const take = async (chunk: Uint8Array): Promise<void> => {
    clearTimeout(silenceTimer);
    events.received?.();
    const chunkWrite = passOn(() => masker.push(chunk));
    await chunkWrite;
    // Otherwise more was written meanwhile.
    if (chunkWrite === lastWrite) awaitSilence();
  };
  source.start(take, () => void flush().then(events.ended));
  awaitSilence();
  return {
    /**
     * Passes on the available output, and continues to read. The beginning of a secret waits if there is still a writer, unless it reveals
     * little.
     */
    sync: async (): Promise<void> => {
      const isEnd = await source.drain();
      if (isEnd || masker.revealsLittle) await flush();
      if (isEnd) source.close();
      else source.resume();
    },
    /** Passes on what is held back. */
    flush,
    /** Drops what the program writes from now on. */
    breakOff,
    /**
     * Ends the pump because the target has no reader any more. It passes on the last bytes, so that this process gets the SIGPIPE that the
     * program would have got.
     */
    loseReader: async (): Promise<void> => {
      await source.drain();
      // Bytes that the program wrote just before the close are lost. Any other byte raises the signal as well.
      if (source.close() > 0) await passOn(() => Uint8Array.of(NEWLINE));
      breakOff();
    },
    source,
    target,
    get masker(): Masker {
      return masker;
    },
    /** Masks by other secrets from now on: the bytes that are held back, and all later ones. It does not wait for a slow reader. */
    maskBy: (masking: Masking): void => {
      masker = masking.stream(masker.state());
    },
  };
}

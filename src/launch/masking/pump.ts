import type { Masking } from "../../masking/masking.ts";
import type { Masker } from "../../masking/stream.ts";
import { writeAll } from "./io.ts";
import type { Source } from "./source.ts";

/** After a silence the beginning of a secret is passed on that reveals little (masking/silence.ts). */
export const SILENCE_MS = 50;
const NEWLINE = 10;

export interface PumpEvents {
  /** The program has written; called before the bytes are passed on. */
  readonly came?: (() => void) | undefined;
  readonly masked: () => void;
  /** Called after each write, with its last byte. */
  readonly wrote: (lastByte: number) => Promise<void>;
  readonly failed: (code: string) => void;
  /** All bytes were passed on or dropped. The target may be closed. */
  readonly ended: () => void;
}

export type Pump = ReturnType<typeof startPump>;

/** Copies a source to a descriptor, masked. @param target a descriptor, which the pump does not close */
export function startPump(source: Source, target: number, first: Masker, events: PumpEvents) {
  let masker = first;
  let silence: NodeJS.Timeout | undefined;
  let isBroken = false;
  let lastWrite: Promise<void> = Promise.resolve();

  const breakOff = (): void => {
    isBroken = true;
    source.close();
  };
  const pass = async (bytes: Uint8Array, hasMasks: boolean): Promise<void> => {
    const byte = bytes.at(-1);
    if (byte === undefined || isBroken) return;
    const code = await writeAll(target, bytes);
    if (code !== undefined) {
      breakOff();
      events.failed(code);
      return;
    }
    await events.wrote(byte);
    if (hasMasks) events.masked();
  };
  /** Masks at once, and writes in turn. */
  const passOn = (mask: () => Uint8Array): Promise<void> => {
    const before = masker.masked;
    const bytes = mask();
    const hasMasks = masker.masked > before;
    lastWrite = lastWrite.then(() => pass(bytes, hasMasks));
    return lastWrite;
  };
  const flush = async (): Promise<void> => {
    clearTimeout(silence);
    await passOn(() => masker.flush());
  };
  const awaitSilence = (): void => {
    if (masker.held === 0) return;
    silence = setTimeout(() => masker.revealsLittle && void flush(), SILENCE_MS);
  };
  const take = async (chunk: Uint8Array): Promise<void> => {
    clearTimeout(silence);
    events.came?.();
    const passed = passOn(() => masker.push(chunk));
    await passed;
    if (passed === lastWrite) awaitSilence();
  };
  source.start(take, () => void flush().then(events.ended));
  awaitSilence();
  return {
    /** Passes on the available output, without the beginning of a secret if there is still a writer, and continues. */
    sync: async (): Promise<void> => {
      const isEnd = await source.drain();
      if (isEnd || masker.revealsLittle) await flush();
      if (isEnd) source.close();
      else source.resume();
    },
    flush,
    breakOff,
    /** Passes on the last bytes, which raises the SIGPIPE in this process that the program would have got. */
    loseReader: async (): Promise<void> => {
      await source.drain();
      // Bytes that came before the close are lost; any other byte has the same effect.
      if (source.close() > 0) await passOn(() => Uint8Array.of(NEWLINE));
      breakOff();
    },
    source,
    target,
    get masker(): Masker {
      return masker;
    },
    /** Masks the bytes that are held back, and all later ones, by other secrets. Does not wait for a slow reader. */
    maskBy: (masking: Masking): void => {
      masker = masking.stream(masker.state());
    },
  };
}

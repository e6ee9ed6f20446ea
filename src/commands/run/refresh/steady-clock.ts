/**
 * The clock by which credentials expire. The system's clock cannot be used alone: if it is set back, tokens would seem to live
 * longer, and would not be renewed in time. The monotonic clock cannot be used alone either: on Linux it stops while the machine
 * sleeps, and tokens do not. So this clock goes with the monotonic one, and jumps ahead with the system's.
 */

/** Both clocks at one moment, in milliseconds. */
export interface ClockReading {
  /** Since any moment; it is never set. */
  readonly monotonic: number;
  /** Since 1970; it may be set. */
  readonly system: number;
}

/** A jump of the system's clock by less is taken for an adjustment, which the monotonic clock has followed. */
const LEAST_JUMP_MS = 1000;

/** Returns the milliseconds that have passed between two readings: those of sleep are counted, a clock that was set back is not. */
export function passedBetween(earlier: ClockReading, later: ClockReading): number {
  const monotonic = Math.max(0, later.monotonic - earlier.monotonic);
  const system = later.system - earlier.system;
  return system - monotonic > LEAST_JUMP_MS ? system : monotonic;
}

export interface SteadyClock {
  /** Returns the milliseconds since the clock was made, never less than before. It must be read at least once a minute. */
  readonly now: () => number;
  /** Returns the milliseconds until a time of the system's clock; zero or less if that is over. */
  readonly remainingMs: (time: number) => number;
}

/** Makes a clock that is at zero now. @param read reads both clocks of the system */
export function steadyClock(read: () => ClockReading = readClocks): SteadyClock {
  const first = read();
  let last = first;
  let passed = 0;
  const now = (): number => {
    const reading = read();
    passed += passedBetween(last, reading);
    last = reading;
    return passed;
  };
  return {
    now,
    remainingMs: (time) => {
      // As if the system's clock had never been set back. If it was wrong until then, the time seems to be over by this reckoning.
      const unset = time - (first.system + now());
      const remaining = time - last.system;
      return unset > 0 ? Math.min(unset, remaining) : remaining;
    },
  };
}

function readClocks(): ClockReading {
  return { monotonic: performance.now(), system: Date.now() };
}

/** The module node:timers of the executable's runtime, whose functions are also globals. */
import { addImmediate, type Immediate, Timer } from "../loop.ts";

/** Values of the parameter `repeats` of a Timer. */
const [ONCE, AGAIN] = [false, true];

type Callback = (...args: readonly unknown[]) => void;

export function setTimeout(callback: Callback, ms = 1, ...args: readonly unknown[]): Timer {
  return new Timer(() => callback(...args), ms, ONCE);
}

export function setInterval(callback: Callback, ms = 1, ...args: readonly unknown[]): Timer {
  return new Timer(() => callback(...args), ms, AGAIN);
}

export function clearTimeout(timer: Timer | undefined | null): void {
  timer?.close();
}

export function clearInterval(timer: Timer | undefined | null): void {
  clearTimeout(timer);
}

export function setImmediate(callback: Callback, ...args: readonly unknown[]): Immediate {
  return addImmediate(() => callback(...args));
}

/** The timer functions, which are globals and the module node:timers. */
import { addImmediate, type Immediate, Timer } from "../loop.ts";

type Callback = (...args: readonly unknown[]) => void;

export function setTimeout(callback: Callback, ms = 1, ...args: readonly unknown[]): Timer {
  return new Timer(() => callback(...args), ms, false);
}

export function setInterval(callback: Callback, ms = 1, ...args: readonly unknown[]): Timer {
  return new Timer(() => callback(...args), ms, true);
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

/** Follows ESC: performs what `rounds.ts` decides. */
import type { ChangeReport, KnownEnvironments } from "../../../esc/api/follow.ts";
import type { Prints } from "./prints.ts";
import { begin, step, type Action, type Event, type Lines, type Resolved, type Step, type Timing } from "./rounds.ts";

/** Time, so that tests need not wait for it. */
export interface Clock extends Record<"now" | "random", () => number> {
  /** Resolves after so long, or when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Following<Renewal> extends Pick<Timing, "everyMs" | "sessionMs"> {
  /** What the program was started with. */
  readonly prints: Prints;
  readonly look: (before: KnownEnvironments | undefined) => Promise<ChangeReport>;
  readonly resolve: () => Promise<Resolved<Renewal>>;
  /** Restarts the program. @returns why not */
  readonly restart: (renewal: Renewal, names: readonly string[]) => Promise<Lines | undefined>;
  readonly tell: (lines: Lines) => void;
  /** Tells what `--quiet` drops. */
  readonly inform: (lines: Lines) => void;
  /** For `--verbose`. */
  readonly detail: (line: string) => void;
  readonly clock: Clock;
}

/** Follows until the signal is aborted. It throws nothing but bugs. */
export async function follow<Renewal>(it: Following<Renewal>, signal: AbortSignal): Promise<void> {
  const { clock, everyMs, sessionMs } = it;
  const timing = (): Timing => ({ now: clock.now(), random: clock.random(), everyMs, sessionMs });
  let current: Step<Renewal> = begin(it.prints, timing());
  for (;;) {
    for (const [level, lines] of current.messages) {
      if (level === "warning") it.tell(lines);
      else if (level === "notice") it.inform(lines);
      else it.detail(lines[0]);
    }
    const event = await perform(current.action, it, signal);
    if (signal.aborted) return;
    current = step(current.state, event, timing());
  }
}

async function perform<Renewal>(
  action: Action<Renewal>,
  it: Following<Renewal>,
  signal: AbortSignal,
): Promise<Event<Renewal>> {
  switch (action.kind) {
    case "wait":
      await it.clock.wait(action.ms, signal);
      return { kind: "woken" };
    case "look":
      return { kind: "looked", look: await it.look(action.before) };
    case "open":
      return { kind: "opened", resolved: await it.resolve() };
    case "restart":
      return { kind: "restarted", refusal: await it.restart(action.renewal, action.names) };
  }
}

/** Follows ESC: performs what `rounds.ts` decides. */
import type { KnownEnvironments, ChangeReport } from "../../../esc/api/follow.ts";
import type { Digests } from "./digests.ts";
import {
  begin,
  step,
  type Action,
  type Event,
  type Lines,
  type Message,
  type Resolved,
  type Timing,
} from "./rounds.ts";

export interface Clock extends Record<"now" | "random", () => number> {
  /** Resolves after so long, or when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Following<Renewal> extends Pick<Timing, "everyMs" | "sessionMs"> {
  readonly digests: Digests;
  readonly look: (before: KnownEnvironments | undefined) => Promise<ChangeReport>;
  readonly resolve: () => Promise<Resolved<Renewal>>;
  /** Restarts the program. @returns the reason if it cannot be restarted */
  readonly restart: (renewal: Renewal, names: readonly string[]) => Promise<Lines | undefined>;
  readonly report: (...message: Message) => void;
  readonly clock: Clock;
}

/** Follows until the signal is aborted. Throws only on bugs. */
export async function follow<Renewal>(following: Following<Renewal>, signal: AbortSignal): Promise<void> {
  const { digests, clock, everyMs, sessionMs, report } = following;
  const timing = (): Timing => ({ now: clock.now(), random: clock.random(), everyMs, sessionMs });
  const perform = async (action: Action<Renewal>): Promise<Event<Renewal>> => {
    switch (action.kind) {
      case "wait":
        await clock.wait(action.ms, signal);
        return { kind: "woken" };
      case "look":
        return { kind: "looked", look: await following.look(action.before) };
      case "open":
        return { kind: "opened", resolved: await following.resolve() };
      case "restart":
        return { kind: "restarted", refusal: await following.restart(action.renewal, action.names) };
    }
  };
  for (let { state, messages, action } = begin<Renewal>(digests, timing()); ;) {
    for (const message of messages) report(...message);
    const event = await perform(action);
    if (signal.aborted) return;
    ({ state, messages, action } = step(state, event, timing()));
  }
}

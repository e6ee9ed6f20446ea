import { closeSync } from "node:fs";
import { AS_GIVEN, RAW, RAW_OUTPUT } from "../../system/shared.ts";
import { ignoresSignal, readProcessStat, takesSignal } from "../proc/process-stat.ts";
import { catchableSignals, send, signalName, signalNumber, withoutListeners } from "../signals.ts";
import { listen, type Undo } from "../listen.ts";
import type { Forwarding } from "../spawn/forward.ts";
import type { Program, Running } from "../types.ts";
import { isStoppedByAccess } from "./access.ts";
import type { RedactAddon } from "./addon.ts";
import { expectedSignals } from "./expected.ts";
import { startMonitored, type Monitor } from "./monitor.ts";
import { isOrphaned } from "./orphaned.ts";
import { closeQuietly } from "./source.ts";
import { openTyping } from "./typing.ts";
import type { Watcher } from "./watcher.ts";

/** How often is looked, in the background, whether a shell has put the job into the foreground without a signal. */
const LOOK_MS = 200;
/** How long the SIGCONT is waited for that has ended a stop; the kernel may have refused the stop. */
const CONTINUE_MS = 1000;
/** A pause before a program goes on whose stop the kernel refused: it may stop at once again. */
const REFUSED_MS = 50;

/** The program in a session of its own, on a pseudo-terminal; the real terminal is raw as long as the job has it. */
export interface Session {
  readonly forward: (forwarding: Forwarding) => Undo;
  /** @returns the code of the system's error where it was not executed */
  readonly execute: (program: Program) => Running | string;
  /** The program has ended: asks for what was typed and not read. */
  readonly collect: () => Promise<void>;
  /** Nobody sees any more what is shown: the real terminal is gone. */
  readonly lose: () => void;
  /** The signal that is just being delivered was sent here to the whole group, and is not meant for this process. */
  readonly isOwn: (signal: NodeJS.Signals) => boolean;
  /** The program has ended: the real terminal gets the settings that it has left, or those from before if it was killed. */
  readonly restore: () => void;
  /** Nothing of it is needed any more: another program takes its place. */
  readonly close: () => void;
}

/** What a session is made of. */
export interface SessionParts {
  readonly addon: RedactAddon;
  readonly watcher: Watcher;
  /** The real terminal, for its settings and its size. */
  readonly real: number;
  /** The real terminal, for reading; it is closed. */
  readonly input: number;
  /** The launcher's side of the pseudo-terminal, for settings and keys; it is closed when the terminal is gone. */
  readonly master: number;
  readonly slave: number;
  /** The descriptors that the program gets besides. */
  readonly inherited: readonly number[];
  /** Resolves when all that the program wrote is shown. */
  readonly settle: () => Promise<void>;
  /** The real terminal is gone: gives up what else there is of the launcher's side, by which the kernel hangs up. */
  readonly hangUp: () => void;
}

export function openSession(parts: SessionParts): Session {
  const { addon, watcher, real, input, master, slave, inherited, settle, hangUp } = parts;
  const group = readProcessStat("self")?.group ?? -1;
  const isInFront = (): boolean => addon.foregroundGroup(real) === group;
  const found = addon.settingsOf(real) ?? new Uint8Array();
  let isForeground = isInFront();
  let monitor: Monitor | undefined;
  let end: { readonly status: number } | { readonly signal: number } | undefined;
  let look: NodeJS.Timeout | undefined;
  /** How often the monitor was told to continue the program and has not said yet that it did. */
  let unanswered = 0;
  let isGone = false;
  /** It went, and the program is not hung up for it. */
  let isForsaken = false;
  /** Of what is sent to the whole group for a key, and the SIGCONT that ends a stop. */
  const expected = expectedSignals();

  addon.copySize(real, master);
  if (!isForeground) leaveLineEnds();
  const lose = (isHungUp: boolean): void => {
    if (isGone) return;
    isGone = true;
    isForsaken = !isHungUp;
    if (isForsaken) monitor?.forsake();
    typing.close();
    closeQuietly(master);
    hangUp();
  };
  const typing = openTyping({
    addon,
    watcher,
    input,
    real,
    master,
    expected,
    monitor: () => monitor,
    isOver: () => end !== undefined,
    gone: () => lose(true),
  });

  return {
    forward: ({ pid, firstProcess, reapOrphans, onSignal, onStopRequest }) => {
      const forward = (signal: NodeJS.Signals): void => {
        const program = pid();
        if (program !== undefined) send(program, signal);
      };
      const asked = (signal: NodeJS.Signals): void => {
        if (expected.arrives(signal)) return;
        forward(signal);
        onStopRequest?.();
      };
      const rules: Partial<Record<NodeJS.Signals, (signal: NodeJS.Signals) => void>> = {
        SIGINT: asked,
        SIGQUIT: asked,
        SIGTERM: asked,
        SIGWINCH: (signal) => {
          if (addon.copySize(real, master) === 0) forward(signal);
        },
        SIGHUP: (signal) => {
          if (readProcessStat("self")?.terminal === 0) lose(true);
          // Else the program is hung up by the monitor.
          if (!isGone || isForsaken) forward(signal);
        },
        SIGCONT: (signal) => {
          if (!expected.arrives(signal)) goOn();
        },
        SIGTTOU: (signal) => {
          const program = pid();
          const number = signalNumber(signal);
          if (program !== undefined && !isInFront() && ignoresSignal(program, number)) return addon.ignoreAccess();
          // What an ended program has written is shown in the foreground.
          const isAccess = !isInFront() && (program === undefined || takesSignal(program, number));
          forward(signal);
          if (isAccess && isStoppedByAccess(signal, isInFront)) goOn();
        },
        SIGCHLD: () => {
          if (firstProcess) reapOrphans?.();
        },
      };
      return listen(catchableSignals(), (signal) => {
        onSignal?.(signal);
        (rules[signal] ?? forward)(signal);
      });
    },
    execute: (program) => {
      let finish: ((how: NodeJS.Signals | number) => void) | undefined;
      const ended = new Promise<NodeJS.Signals | number>((resolve) => {
        finish = resolve;
      });
      const outcome = startMonitored(
        addon,
        watcher,
        program,
        { slave, real, found, isForeground, inherited },
        {
          unread: typing.collected,
          continued: () => {
            unanswered--;
            // Not before: what is typed would go to nobody.
            if (isForeground) typing.resume();
          },
          stopped: (signal) => {
            // It goes on already where the monitor has yet to read that it shall.
            if (unanswered === 0) void stopWithProgram(signalName(signal) ?? "SIGSTOP");
          },
          ended: (how) => {
            end = how;
            finish?.("status" in how ? how.status : (signalName(how.signal) ?? 128 + how.signal));
          },
        },
      );
      if (typeof outcome === "string") return outcome;
      monitor = outcome;
      closeSync(slave);
      if (isForeground) typing.resume();
      if (isInFront() !== isForeground) goOn();
      return { pid: outcome.pid, ended };
    },
    collect: async () => {
      clearInterval(look);
      await typing.collect(true);
    },
    // A job in the background is not hung up by the kernel: who hangs it up sends it the signal.
    lose: () => lose(isForeground),
    isOwn: expected.isOwn,
    restore: () => {
      clearInterval(look);
      typing.close();
      // Raw it is of no use to whoever has it now.
      if (!isGone && isForeground) {
        const left = isInFront() && end !== undefined && "status" in end ? addon.settingsOf(master) : undefined;
        addon.applySettings(real, left ?? found, AS_GIVEN);
        if (isInFront()) typing.giveBack();
      }
      monitor?.dismiss();
    },
    close: () => {
      if (!isGone) closeQuietly(master);
      isGone = true;
      closeQuietly(real);
    },
  };

  /** Takes notice of whether the job is in the foreground. */
  function update(): void {
    const now = isInFront();
    const settings = now && !isGone ? addon.settingsOf(real) : undefined;
    // What a shell has set meanwhile is what the program would find; but not where this process alone was stopped.
    if (settings !== undefined && !isForeground) addon.applySettings(master, settings, AS_GIVEN);
    if (settings !== undefined) addon.applySettings(real, settings, RAW);
    if (now) addon.copySize(real, master);
    isForeground = now;
    if (!now) {
      typing.pause();
      leaveLineEnds();
    }
    clearInterval(look);
    if (!now) look = setInterval(() => isInFront() && goOn(), LOOK_MS).unref();
  }

  /** In the background it is the real terminal that turns newlines into line ends. */
  function leaveLineEnds(): void {
    const settings = isGone ? undefined : addon.settingsOf(master);
    if (settings !== undefined) addon.applySettings(master, settings, RAW_OUTPUT);
  }

  function goOn(): void {
    update();
    if (monitor === undefined) return;
    unanswered++;
    monitor.continue(isForeground);
  }

  /** The program was stopped: so is the job, and goes on when the job does. */
  async function stopWithProgram(signal: NodeJS.Signals): Promise<void> {
    typing.pause();
    // Else it may be for that that it was stopped.
    if (isInFront() || addon.stopsBackground(real) === 0) await settle();
    await typing.collect(false);
    if (end !== undefined) return;
    if (isForeground && isInFront()) {
      const settings = addon.settingsOf(master);
      if (settings !== undefined) addon.applySettings(real, settings, AS_GIVEN);
      typing.giveBack();
    }
    isForeground = false;
    expected.expect("SIGCONT");
    setTimeout(() => expected.giveUp("SIGCONT"), CONTINUE_MS).unref();
    const before = process.hrtime.bigint();
    stopGroup(signal);
    const isRefused = process.hrtime.bigint() - before < 1_000_000n && !isInFront();
    if (!isRefused) goOn();
    // It would stop at once again, and for ever: in an orphaned group the kernel lets the access fail instead.
    else if ((signal === "SIGTTIN" || signal === "SIGTTOU") && isOrphaned()) lose(true);
    else setTimeout(goOn, REFUSED_MS);
  }
}

/** Stops this process, and by a signal of the terminal's its whole group. Returns when it was continued. */
function stopGroup(signal: NodeJS.Signals): void {
  withoutListeners(signal, () => process.kill(signal === "SIGSTOP" ? process.pid : 0, signalNumber(signal)));
}

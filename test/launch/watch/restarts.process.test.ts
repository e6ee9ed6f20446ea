/** What a watch does at a change of values, at the end of a program and at signals of the user, in each phase of a restart. */
import { describe, expect, test } from "vitest";
import type { Launch, OutputMasking, Renewal, Watch } from "../../../src/launch/types.ts";
import { Restarts } from "../../../src/launch/watch/restarts.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";
import { type SignalPrinter, startSignalPrinter } from "../signal-printer.ts";

skipBecause(notLinux);

const SIGNALS = ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGTSTP", "SIGTTIN", "SIGTTOU"] as const;
const startPrinter = (): Promise<SignalPrinter> => startSignalPrinter(SIGNALS);

/** Returns values after a change. */
function renewalOf(value: string): Renewal {
  return {
    environment: new Map([
      ["PATH", "/usr/bin:/bin"],
      ["VALUE", value],
    ]),
    files: [],
  };
}

/** Starts a watch, and records what it does. */
function createWatch(options: Partial<Pick<Watch, "signal" | "graceMs">> = {}) {
  const events: string[] = [];
  let follow: Parameters<Watch["follow"]> | undefined;
  const watch: Watch = {
    signal: "SIGTERM",
    graceMs: 1_000_000,
    ...options,
    follow: (...functions) => {
      follow = functions;
      events.push("follow");
      return () => void events.push("end");
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a restart uses no other parts of the first launch
  const firstLaunch = { command: ["sh", "-c", "exit"], ...renewalOf("first") } as unknown as Launch;
  const restarts = new Restarts(watch, firstLaunch);
  const followed = (): Parameters<Watch["follow"]> => {
    if (follow === undefined) throw new Error("the watch has not begun");
    return follow;
  };
  const start = (pid: number | undefined, outputs?: Parameters<Restarts["handleStart"]>[2]): void =>
    restarts.handleStart(pid, (text) => void events.push(`${pid}: ${text}`), outputs);
  return {
    restarts,
    events,
    start,
    change: (value: string) => followed()[0](renewalOf(value)),
    write: (text: string) => followed()[1](text),
    mask: (outputMasking: OutputMasking) => followed()[2](outputMasking),
  };
}

/** Returns the value that a launch gives to its program. */
function valueOf(launch: Launch | undefined): string | undefined {
  return launch?.program.environment.get("VALUE");
}

describe("at a change the watch", () => {
  test("asks the program to end, starts the same command with the new values, and is not begun again", async () => {
    const first = await startPrinter();
    const { restarts, events, start, change } = createWatch({ signal: "SIGUSR1" });
    start(first.pid);
    expect(restarts.isUnderWay()).toBe(false);
    await change("second");
    expect(await first.line()).toBe("SIGUSR1");
    expect(restarts.isUnderWay()).toBe(true);
    const launch = restarts.takeNextLaunch(0);
    expect(launch?.program).toMatchObject({
      argv: ["sh", "-c", "exit"],
      file: expect.stringMatching(/\/bin\/sh$/) as unknown,
    });
    expect(valueOf(launch)).toBe("second");
    expect([restarts.isUnderWay(), restarts.isWanted(), restarts.takeNewerLaunch()]).toEqual([true, true, undefined]);
    start((await startPrinter()).pid);
    expect([restarts.isUnderWay(), restarts.isWanted(), events]).toEqual([false, true, ["follow"]]);
  });

  test("kills a program that has not ended after the grace period", async () => {
    const program = await startPrinter();
    const { restarts, start, change } = createWatch({ graceMs: 250 });
    start(program.pid);
    await change("second");
    expect(await program.line()).toBe("SIGTERM");
    expect(await program.killed).toBe("SIGKILL");
    expect(valueOf(restarts.takeNextLaunch("SIGKILL"))).toBe("second");
  });

  test("starts the next program with the newest of several changes, and sends one signal for them", async () => {
    const program = await startPrinter();
    const { restarts, start, change } = createWatch();
    start(program.pid);
    await change("second");
    expect(await program.line()).toBe("SIGTERM");
    await change("third");
    expect(restarts.takeNewerLaunch()).toBeUndefined();
    expect(valueOf(restarts.takeNextLaunch("SIGTERM"))).toBe("third");
    await change("fourth");
    expect(valueOf(restarts.takeNewerLaunch())).toBe("fourth");
    expect(restarts.takeNewerLaunch()).toBeUndefined();
    process.kill(program.pid, "SIGUSR1");
    expect(await program.line()).toBe("SIGUSR1");
  });

  test("changes nothing if the program could not be started with the new values", async () => {
    const program = await startPrinter();
    const { restarts, start, change } = createWatch();
    start(program.pid);
    await expect(change("made-up-\0-secret")).rejects.toMatchObject({ code: "unusable-value" });
    expect([restarts.isUnderWay(), restarts.isWanted(), restarts.takeNextLaunch(0)]).toEqual([false, true, undefined]);
  });

  test("does nothing if no program runs, or the user has asked for an end", async () => {
    const program = await startPrinter();
    const withoutProgram = createWatch();
    withoutProgram.start(undefined);
    await withoutProgram.change("second");
    expect(withoutProgram.restarts.isUnderWay()).toBe(false);
    const ended = createWatch();
    ended.start(program.pid);
    ended.restarts.handleSignal("SIGINT");
    await ended.change("second");
    expect([ended.restarts.isUnderWay(), ended.restarts.takeNextLaunch(0)]).toEqual([false, undefined]);
    process.kill(program.pid, "SIGUSR1");
    expect(await program.line()).toBe("SIGUSR1");
  });
});

test("the watch ends when the program ends without a change", async () => {
  const { restarts, events, start } = createWatch();
  start((await startPrinter()).pid);
  expect(restarts.isWanted()).toBe(true);
  expect(restarts.takeNextLaunch(0)).toBeUndefined();
  expect([restarts.isWanted(), restarts.isUnderWay(), events]).toEqual([false, false, ["follow", "end"]]);
});

test("a watch whose end the user has asked for before the first program runs is never begun", async () => {
  const { restarts, events, start } = createWatch();
  restarts.handleSignal("SIGTERM");
  start((await startPrinter()).pid);
  expect([restarts.isWanted(), events]).toEqual([false, []]);
});

/** Brings a watch into a phase of a restart. */
async function createWatchIn(phase: "running" | "stopping" | "starting", signal: NodeJS.Signals = "SIGTERM") {
  const watch = createWatch({ signal });
  watch.start((await startPrinter()).pid);
  if (phase !== "running") await watch.change("second");
  if (phase === "starting") watch.restarts.takeNextLaunch(0);
  return watch;
}

describe("a signal of the user", () => {
  test.each(["running", "stopping", "starting"] as const)(
    "that asks for an end ends the watch while the program is %s",
    async (phase) => {
      for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
        const { restarts, events, change } = await createWatchIn(phase);
        restarts.handleSignal(signal);
        restarts.handleSignal(signal);
        await change("third");
        expect([restarts.isWanted(), restarts.takeNewerLaunch(), restarts.takeNextLaunch(0)]).toEqual([
          false,
          undefined,
          undefined,
        ]);
        expect(new Set(events)).toEqual(new Set(["follow", "end"]));
      }
    },
  );

  test("that asks for something else does not end the watch while the program runs or stops", async () => {
    for (const phase of ["running", "stopping"] as const) {
      const { restarts } = await createWatchIn(phase);
      for (const signal of ["SIGUSR1", "SIGHUP", "SIGTSTP", "SIGCONT", "SIGCHLD"] as const)
        restarts.handleSignal(signal);
      expect(restarts.isWanted()).toBe(true);
    }
  });

  test.each(["SIGUSR1", "SIGHUP", "SIGALRM"] as const)(
    "acts on the launcher if no program runs: %s",
    async (signal) => {
      const { restarts } = await createWatchIn("starting");
      restarts.handleSignal(signal);
      expect(restarts.isWanted()).toBe(false);
    },
  );

  test.each(["SIGCHLD", "SIGCONT", "SIGWINCH", "SIGURG", "SIGIO"] as const)(
    "has no effect if no program runs, and the kernel would ignore it: %s",
    async (signal) => {
      const { restarts } = await createWatchIn("starting");
      restarts.handleSignal(signal);
      expect(restarts.isWanted()).toBe(true);
    },
  );

  test("that stops jobs reaches the next program, and only that one, if no program runs", async () => {
    const { restarts, start, change } = await createWatchIn("starting");
    const signals = ["SIGTSTP", "SIGTTIN", "SIGTTOU"] as const;
    for (const signal of signals) restarts.handleSignal(signal);
    expect(restarts.isWanted()).toBe(true);
    const next = await startPrinter();
    start(next.pid);
    expect(new Set([await next.line(), await next.line(), await next.line()])).toEqual(new Set(signals));
    await change("third");
    expect(await next.line()).toBe("SIGTERM");
    restarts.takeNextLaunch(0);
    const last = await startPrinter();
    start(last.pid);
    process.kill(last.pid, "SIGUSR2");
    expect(await last.line()).toBe("SIGUSR2");
  });

  test("of which the program dies while it is asked to end prevents the restart", async () => {
    const killed = await createWatchIn("stopping");
    killed.restarts.handleSignal("SIGUSR1");
    expect(killed.restarts.takeNextLaunch("SIGUSR1")).toBeUndefined();
    expect(killed.restarts.isWanted()).toBe(false);
  });

  test.each([
    ["it dies of another signal", "SIGTERM", "SIGUSR1", "SIGKILL"],
    ["it exits", "SIGTERM", "SIGUSR1", 0],
    ["the watch has sent the same signal", "SIGUSR1", "SIGUSR1", "SIGUSR1"],
  ] as const)("does not prevent the restart of a program if %s", async (_, watchSignal, userSignal, end) => {
    const { restarts } = await createWatchIn("stopping", watchSignal);
    restarts.handleSignal(userSignal);
    expect(valueOf(restarts.takeNextLaunch(end))).toBe("second");
  });

  test("to an earlier program does not prevent the restart of a later one", async () => {
    const { restarts, start, change } = await createWatchIn("running");
    restarts.handleSignal("SIGUSR1");
    await change("second");
    restarts.handleSignal("SIGUSR2");
    expect(valueOf(restarts.takeNextLaunch("SIGUSR1"))).toBe("second");
    start((await startPrinter()).pid);
    await change("third");
    expect(valueOf(restarts.takeNextLaunch("SIGUSR2"))).toBe("third");
  });
});

describe("the watch masks further secrets", () => {
  /** Records the names of the maskings that an output gets. */
  const createOutputs = (writes: () => boolean) => {
    const names: unknown[] = [];
    return { names, hasWriter: writes, maskBy: (outputMasking: OutputMasking) => void names.push(outputMasking) };
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the watch only passes it on
  const maskingOf = (name: string) => name as unknown as OutputMasking;

  test("in the output of the program, of those before it that may still write, and of the next one", async () => {
    const { restarts, start, change, mask, write, events } = createWatch();
    let hasWriter = true;
    const [first, second, third] = [
      createOutputs(() => hasWriter),
      createOutputs(() => true),
      createOutputs(() => true),
    ];
    const { pid } = await startPrinter();
    start(pid, first);
    mask(maskingOf("a"));
    await change("second");
    restarts.takeNextLaunch(0);
    mask(maskingOf("b"));
    start(pid, second);
    mask(maskingOf("c"));
    hasWriter = false;
    await change("third");
    restarts.takeNextLaunch(0);
    start(pid, third);
    mask(maskingOf("d"));
    start(pid);
    mask(maskingOf("e"));
    expect([first.names, second.names, third.names]).toEqual([
      ["a", "b", "c"],
      ["b", "c", "d", "e"],
      ["d", "e"],
    ]);
    write("message");
    expect(events).toEqual(["follow", `${pid}: message`]);
  });
});

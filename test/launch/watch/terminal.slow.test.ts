import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findIsolation, startContainer } from "../../helpers/container.ts";
import { skipBecause } from "../../helpers/skip.ts";
import { addon, isStandalone, sophiaRun } from "../../helpers/sophia.ts";
import type { StartedProcess } from "../../helpers/start-process.ts";
import { startAtTerminal, type Step } from "../../helpers/terminal.ts";
import { waitForRun, WATCH, startWatchedWorld, type WatchedWorld } from "../../helpers/start-watched.ts";

/** Starts a command in the folder and environment of the world, on a terminal. */
function startWorldAtTerminal(
  { cwd, env }: WatchedWorld,
  steps: readonly Step[],
  command: readonly string[],
  additionalEnvironment: Readonly<Record<string, string>> = {},
): StartedProcess {
  return startAtTerminal(command, { cwd, env: { ...env, ...additionalEnvironment } }, steps);
}

const launcherCommand = (...options: readonly string[]): readonly string[] => [
  ...sophiaRun,
  ...WATCH,
  ...options,
  "--",
];
const program = [process.execPath, "program.cjs"] as const;
const hasAddon = isStandalone || existsSync(addon);

describe("at a terminal --watch", () => {
  skipBecause(hasAddon ? undefined : "needs the addon");

  test("restores the terminal's foreground process group and settings before it starts the next program", async () => {
    const watchScene = await startWatchedWorld();
    const rudeProgram = `
import os, signal, termios, time
attributes = termios.tcgetattr(0)
if os.environ["KEY"] == "two":
    print("front", os.tcgetpgrp(0) == os.getpgrp(), "echo", bool(attributes[3] & termios.ECHO), flush=True)
    os._exit(4)
for name in (signal.SIGTTOU, signal.SIGTERM): signal.signal(name, signal.SIG_IGN)
os.setpgid(0, 0)
os.tcsetpgrp(0, os.getpid())
attributes[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, attributes)
print("rude", flush=True)
while True: time.sleep(9)
`;
    const started = startWorldAtTerminal(
      watchScene,
      [],
      [...launcherCommand("--watch-grace", "200ms"), "python3", "-c", rudeProgram],
    );
    await started.waitForStdout(/rude/);
    watchScene.setKey("two");
    await started.waitForStdout(/front True echo True/);
    expect((await started.finished).status).toBe(4);
  });

  test.each([[], ["--redact"]])(
    "ends if the user presses Ctrl-C in the middle of a restart (options: %s)",
    async (...options) => {
      const watchScene = await startWatchedWorld();
      const started = startWorldAtTerminal(
        watchScene,
        [["stopping", "\u0003"]],
        [...launcherCommand(...options), ...program],
        {
          LAZY: "1",
        },
      );
      await waitForRun(started, "one");
      watchScene.setKey("two");
      const { status, stdout } = await started.finished;
      expect([status, stdout.match(/run /g)?.length]).toEqual([256 - 2, 1]);
    },
  );

  test("stops if the user presses Ctrl-Z in the middle of a restart, and continues the restart after fg", async () => {
    const watchScene = await startWatchedWorld();
    const steps = [
      ["bash-", `${[...launcherCommand(), ...program].join(" ")}\r`],
      ["stopping", "\u001a"],
      ["Stopped", "fg; exit $?\r"],
    ] as const;
    const env = { LAZY: "1", TERM: "dumb" };
    const started = startWorldAtTerminal(watchScene, steps, ["bash", "--norc", "--noprofile", "-i"], env);
    const first = await waitForRun(started, "one");
    watchScene.setKey("two");
    await started.waitForStdout(/Stopped[^]*fg; exit[^]*\n[^]*program\.cjs/);
    process.kill(first, "SIGUSR2");
    process.kill(await waitForRun(started, "two"), "SIGUSR2");
    expect((await started.finished).status).toBe(7);
  });

  test("gives each program a terminal with --redact, and masks the secret of each program", async () => {
    const watchScene = await startWatchedWorld();
    watchScene.setKey("secret-number-one");
    const script =
      'test -t 0 && test -t 1 && echo "tty $BASE <$KEY>"; trap "exit 0" TERM; while :; do sleep 0.05; done';
    const started = startWorldAtTerminal(watchScene, [], [...launcherCommand("--redact"), "sh", "-c", script], {});
    await started.waitForStdout(/tty b1 <\*\*\*>/);
    watchScene.setKey("secret-number-two");
    watchScene.setBase("b2");
    await started.waitForStdout(/tty b2 <\*\*\*>/);
    process.kill(started.pid, "SIGKILL");
    expect((await started.finished).stdout).not.toContain("secret-number");
  });
});

describe("as PID 1 of a container --watch", () => {
  const isolation = findIsolation();
  const prefix = "prefix" in isolation ? isolation.prefix : (["false"] as const);
  skipBecause("reason" in isolation ? `needs a PID namespace: ${isolation.reason}` : undefined);
  skipBecause(hasAddon ? undefined : "needs the addon");

  test("reaps orphans of the former program, and passes SIGTERM on to the next program", async () => {
    const watchScene = await startWatchedWorld();
    // The orphan ends once its former parent has ended.
    const script = `if [ "$KEY" = one ]; then
        sh -c 'while kill -0 '$$' 2>/dev/null; do sleep 0.02; done' >/dev/null & echo $! > orphan
      else
        while [ -e /proc/$(cat orphan) ]; do sleep 0.02; done
      fi
      exec node program.cjs`;
    const command = [...launcherCommand(), "sh", "-c", script] as const;
    const started = startContainer(prefix, [sophiaRun[0], ...command.slice(1)], {
      cwd: watchScene.cwd,
      env: watchScene.env,
    });
    await waitForRun(started, "one");
    watchScene.setKey("two");
    await waitForRun(started, "two");
    process.kill(started.init(), "SIGTERM");
    expect((await started.finished).status).toBe(0);
  });
});

/** How containers end: exit statuses, signals, `stop`. */
import assert from "node:assert/strict";
import type { Case } from "../report.ts";
import type { Finished } from "../processes.ts";
import { ENGINE } from "./differences.mts";
import { engine, runToEnd, start } from "./engine.mts";
import { type Form, FORMS, LISTENS, plain, withEsc } from "./forms.mts";
import type { World } from "./world.mts";

/** Signals that a program can handle, by number, and four of the real-time ones: not KILL, STOP and CHLD. */
const ALL = [...range(1, 8), ...range(10, 16), 18, ...range(20, 31), 34, 35, 49, 64];
/** Signals that an init passes on: not the signals of faults, and not those of job control. */
const THROUGH_INIT = [1, 2, 3, 10, 12, 14, 18, 23, 28, 29, 30, 64];
const TERM = 15;

const INIT = ["--init"] as const;
/** How sophia-run is told to stay PID 1, which is what the image does, or to become the program. */
const MODES = { spawn: [], exec: ["--env=SOPHIA_MODE=exec"] } as const;

/** A program without a handler for SIGTERM. */
const WITHOUT_HANDLER = ["sh", "-c", "echo ready $$; while :; do sleep 1; done"] as const;

export function endingCases(world: World): readonly Case[] {
  return FORMS.flatMap((form) => [...statusCases(world, form), ...signalCases(form), ...stopCases(world, form)]);
}

function statusCases(world: World, form: Form): readonly Case[] {
  const ends = (what: string, status: number, run: () => Promise<Finished>, shown?: RegExp): Case => [
    `${form.name}: ${what} is the container's status ${status}`,
    async () => {
      const { stderr, ...finished } = await run();
      assert.equal(finished.status, status, stderr);
      if (shown !== undefined) assert.match(stderr, shown);
    },
  ];
  const command =
    (words: readonly string[], options: readonly string[] = []) =>
    () =>
      runToEnd(plain(form, { options, command: words }));
  return [
    ...[0, 1, 42].map((status) =>
      ends(`a program's ${status}`, status, command(["node", "-e", `process.exit(${status})`])),
    ),
    ends("a command that does not exist", 127, command(["/nonexistent"]), /^sophia-run: /m),
    ends("a command that is a folder", 126, command(["/app"]), /^sophia-run: /m),
    ends("a death by SIGKILL", 137, command(["sh", "-c", "kill -KILL $$"])),
    ends("a death by SIGTERM", 143, command(["sh", "-c", "kill -TERM $$"])),
    ends(
      "a death by SIGKILL, in exec mode under an init,",
      137,
      command(["sh", "-c", "kill -KILL $$"], [...INIT, ...MODES.exec]),
    ),
    ends("an unmet contract", 78, () => runToEnd({ image: withEsc(world, form, {}).image }), /✗ QDRANT_URL/),
    ends(
      "an ESC that refuses access",
      125,
      async () => {
        world.environment.deny(403);
        const ended = await runToEnd(withEsc(world, form, { sophia: ["--require-esc"] }));
        assert(!ended.stderr.includes(world.esc.token));
        return ended;
      },
      /^sophia-run: ESC environment/m,
    ),
    ends(
      "an ESC that cannot be reached",
      125,
      () => {
        world.esc.failAlways("any", 503);
        return runToEnd(withEsc(world, form, { sophia: ["--require-esc"] }));
      },
      /^sophia-run: ESC environment/m,
    ),
  ];
}

/** A program that prints the number of each signal that it gets, and ends with status 7 at SIGTERM. */
const RECORDER = [
  "sh",
  "-c",
  `for each in ${ALL.join(" ")}; do trap "echo got $each" $each; done
   trap 'echo got ${TERM}; exit 7' ${TERM}
   echo "ready $$"
   while :; do sleep 600 & wait $!; done`,
] as const;

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function signalCases(form: Form): readonly Case[] {
  return Object.entries(MODES).flatMap(([mode, settings]) =>
    [false, true].map((hasInit): Case => [
      `${form.name}: each signal of ${ENGINE.name} kill reaches the program once, in ${mode} mode${hasInit ? " with --init" : ""}`,
      async () => {
        const options = [...settings, ...(hasInit ? INIT : [])];
        const container = await start(plain(form, { options, command: RECORDER }));
        const [, pid] = await container.seen(/^ready (\d+)$/m);
        assert.equal(pid === "1", mode === "exec" && !hasInit);
        const signals = (hasInit ? THROUGH_INIT : ALL).filter((signal) => signal !== TERM);
        for (const signal of signals) await engine(["kill", `--signal=${signal}`, container.name]);
        await container.seen(/got 64\n/);
        await engine(["kill", `--signal=${TERM}`, container.name]);
        assert.equal(await container.end(), 7);
        const { stdout } = await container.logs();
        const got = Array.from(stdout.matchAll(/^got (\d+)$/gm), ([, number]) => Number(number));
        assert.deepEqual(
          got.toSorted((a, b) => a - b),
          [...signals, TERM].toSorted((a, b) => a - b),
        );
      },
    ]),
  );
}

function stopCases(world: World, form: Form): readonly Case[] {
  return [
    [
      `${form.name}: ${ENGINE.name} stop while ESC hangs ends the container by SIGTERM, not by SIGKILL`,
      async () => {
        const held = world.esc.hold("any");
        const calls = world.esc.count("any");
        const container = await start(withEsc(world, form, {}));
        await world.esc.waitFor("any", calls + 1);
        await engine(["stop", container.name]);
        assert.equal(await container.end(), 143);
        held.release();
      },
    ],
    ...Object.entries(MODES).map(([mode, options]): Case => [
      `${form.name}: ${ENGINE.name} stop ends the server of the example with its own status, in ${mode} mode`,
      async () => {
        const container = await start(withEsc(world, form, { options }));
        await container.seen(LISTENS);
        await engine(["stop", container.name]);
        assert.equal(await container.end(), 0);
        assert.match((await container.logs()).stdout, /^stopped by SIGTERM$/m);
      },
    ]),
    ...(
      [
        [`in spawn mode ${ENGINE.name} stop ends a program without a handler at once`, MODES.spawn, 143],
        [`in exec mode ${ENGINE.name} stop ends a program without a handler by SIGKILL`, MODES.exec, 137],
        [`with --init ${ENGINE.name} stop ends a program without a handler at once`, [...INIT, ...MODES.spawn], 143],
        [
          `with --init ${ENGINE.name} stop ends a program without a handler at once in exec mode, too`,
          [...INIT, ...MODES.exec],
          143,
        ],
      ] as const
    ).map(([name, options, status]): Case => [
      `${form.name}: ${name}`,
      async () => {
        const container = await start(plain(form, { options, command: WITHOUT_HANDLER }));
        await container.seen(/^ready/m);
        await engine(["stop", "--time=3", container.name]);
        assert.equal(await container.end(), status);
      },
    ]),
  ];
}

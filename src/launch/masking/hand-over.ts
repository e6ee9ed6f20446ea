/**
 * The end of the launcher while background processes of the program still write. The launcher must end with the program. So
 * another process, which gets the secrets through a pipe, masks the streams until the last writer has ended.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import crossSpawn from "cross-spawn";
import { ExitStatus } from "../../core/error.ts";
import { maskingOf } from "../../masking/masking.ts";
import type { Secret, StreamState } from "../../masking/masking-model.ts";
import { loader } from "../../system/addon/addon.ts";
import { isBun } from "../../system/runtime.ts";
import { CONTINUE_CALL } from "../types.ts";
import { closeQuietly } from "./io.ts";
import { startPump, type Pump } from "./pump.ts";
import { readFrom } from "./source.ts";
import { openSystem } from "./masking-system.ts";

/** The other process's standard input, as JSON with bytes as base64. From 3 on it has sources and targets in turn. */
interface Continuation {
  readonly secrets: readonly (readonly [string, string])[];
  readonly streams: readonly (Omit<StreamState, "read"> & { readonly read: string })[];
}

declare const SOPHIA_RUN_FOLDER: string | undefined;

/** Starts the process that goes on masking. Returns once it has the secrets and the streams. */
export async function handOver(pumps: readonly Pump[], secrets: readonly Secret[]): Promise<void> {
  const program =
    isBun || loader?.caller !== undefined
      ? []
      : [`${typeof SOPHIA_RUN_FOLDER === "undefined" ? "" : SOPHIA_RUN_FOLDER}/../bin/sophia-run.cjs`];
  const passed = pumps.flatMap(({ source: { descriptor }, target, masker }) =>
    descriptor === undefined ? [] : [{ descriptor, target, state: masker.state() }],
  );
  const child = crossSpawn(process.execPath, [...program, CONTINUE_CALL], {
    // A session of its own, which no key and no shell signals.
    detached: true,
    cwd: "/",
    env: {},
    stdio: ["pipe", "ignore", "ignore", ...passed.flatMap(({ descriptor, target }) => [descriptor, target])],
  });
  child.on("error", () => {});
  const { stdin } = child;
  if (child.pid === undefined || stdin === null) return;
  const continuation: Continuation = {
    secrets: secrets.map(({ name, value }) => [name, Buffer.from(value).toString("base64")]),
    streams: passed.map(({ state }) => ({ ...state, read: Buffer.from(state.read).toString("base64") })),
  };
  stdin.on("error", () => {}).end(JSON.stringify(continuation));
  await once(stdin, "close");
}

/** Masks the streams that a launcher has handed over, until the last writer has ended. */
export async function continueMasking(): Promise<number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- handOver wrote it
  const { secrets, streams } = JSON.parse(readFileSync(0, "utf8")) as Continuation;
  const masking = maskingOf(secrets.map(([name, value]) => ({ name, value: Buffer.from(value, "base64") })));
  const system = await openSystem();
  if (system === undefined) return ExitStatus.failed;
  const { addon, watcher } = system;
  masking.prepare(addon);
  await Promise.all(
    streams.map(async ({ read, ...state }, index) => {
      const target = 4 + 2 * index;
      const masker = masking.stream({ ...state, read: Buffer.from(read, "base64") });
      await new Promise<void>((ended) => {
        const events = { masked: () => {}, wrote: async () => {}, failed: () => {}, ended };
        const pump = startPump(readFrom(3 + 2 * index, watcher), target, masker, events);
        watcher.whenUnread(target, pump.loseReader);
      });
      watcher.forget(target);
      closeQuietly(target);
    }),
  );
  return 0;
}

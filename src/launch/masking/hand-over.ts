/**
 * The end of the launcher while background processes of the program still write. The launcher must end together with the program. So
 * it starts another process of sophia-run (`CONTINUE_CALL`), which masks the streams until the last writer has ended. That process
 * gets the secrets through a pipe: arguments and variables are visible to other processes.
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

/**
 * The standard input of the other process, as JSON with bytes in base64. Its descriptors from 3 on are the streams: for each
 * the source, and then the target.
 */
interface Continuation {
  readonly secrets: readonly (readonly [name: string, value: string])[];
  readonly streams: readonly (Omit<StreamState, "keptBytes"> & { readonly keptBytes: string })[];
}

declare const SOPHIA_RUN_FOLDER: string | undefined;

/** Starts the process that continues to mask. Returns once that process has the secrets and the streams. */
export async function handOver(pumps: readonly Pump[], secrets: readonly Secret[]): Promise<void> {
  const program =
    isBun || loader?.caller !== undefined
      ? []
      : [`${typeof SOPHIA_RUN_FOLDER === "undefined" ? "" : SOPHIA_RUN_FOLDER}/../bin/sophia-run.cjs`];
  const passedStreams = pumps.flatMap(({ source: { descriptor }, target, masker }) =>
    descriptor === undefined ? [] : [{ descriptor, target, state: masker.state() }],
  );
  const child = crossSpawn(process.execPath, [...program, CONTINUE_CALL], {
    // In a session of its own no key and no shell sends it a signal.
    detached: true,
    cwd: "/",
    env: {},
    stdio: ["pipe", "ignore", "ignore", ...passedStreams.flatMap(({ descriptor, target }) => [descriptor, target])],
  });
  child.on("error", () => {});
  const { stdin } = child;
  if (child.pid === undefined || stdin === null) return;
  const continuation: Continuation = {
    secrets: secrets.map(({ name, value }) => [name, Buffer.from(value).toString("base64")]),
    streams: passedStreams.map(({ state }) => ({
      ...state,
      keptBytes: Buffer.from(state.keptBytes).toString("base64"),
    })),
  };
  stdin.on("error", () => {}).end(JSON.stringify(continuation));
  await once(stdin, "close");
}

/** Masks the streams that a launcher has handed over, until the last writer has ended. Returns the exit status. */
export async function continueMasking(): Promise<number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- handOver wrote it
  const { secrets, streams } = JSON.parse(readFileSync(0, "utf8")) as Continuation;
  const masking = maskingOf(secrets.map(([name, value]) => ({ name, value: Buffer.from(value, "base64") })));
  const system = await openSystem();
  if (system === undefined) return ExitStatus.failed;
  const { addon, watcher } = system;
  masking.prepare(addon);
  await Promise.all(
    streams.map(async ({ keptBytes, ...state }, index) => {
      const target = 4 + 2 * index;
      const masker = masking.stream({ ...state, keptBytes: Buffer.from(keptBytes, "base64") });
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

/**
 * Hands masking over to another process. When the program has ended, its background processes may still write, but this process
 * must end together with the program. So it starts another process of sophia-run (`CONTINUE_CALL`), which masks the streams until
 * the last writer has ended. That process gets the secrets through a pipe, because its arguments and variables are visible to other
 * processes.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import crossSpawn from "cross-spawn";
import { ExitStatus } from "../../core/error.ts";
import { createMasking } from "../../masking/masking.ts";
import type { Secret, StreamState } from "../../masking/masking-model.ts";
import { loader } from "../../system/addon/addon.ts";
import { isBun } from "../../system/runtime.ts";
import { CONTINUE_CALL } from "../types.ts";
import { closeQuietly } from "./io.ts";
import { startPump, type Pump } from "./pump.ts";
import { readFrom } from "./source.ts";
import { openSystem } from "./masking-system.ts";

/** The JSON that the other process reads from its standard input. Bytes are in base64. */
interface Continuation {
  readonly secrets: readonly (readonly [name: string, value: string])[];
  readonly streams: readonly (Omit<StreamState, "keptBytes"> & { readonly keptBytes: string })[];
}

/** The descriptors of the other process for its streams begin here: for each stream its source, then its target. */
const FIRST_STREAM_DESCRIPTOR = 3;

/** The folder of the running script. The build defines it for the package. */
declare const SOPHIA_RUN_FOLDER: string | undefined;

/** Starts the process that continues to mask. Returns once that process has the secrets and the streams. */
export async function handOver(pumps: readonly Pump[], secrets: readonly Secret[]): Promise<void> {
  // An executable is sophia-run itself. In the package `process.execPath` is Node.js, which must run the script of sophia-run.
  const isExecutable = isBun || loader?.caller !== undefined;
  const bundleFolder = typeof SOPHIA_RUN_FOLDER === "undefined" ? "" : SOPHIA_RUN_FOLDER;
  const script = isExecutable ? [] : [`${bundleFolder}/../bin/sophia-run.cjs`];
  const passedStreams = pumps.flatMap(({ source: { descriptor }, target, masker }) =>
    descriptor === undefined ? [] : [{ descriptor, target, state: masker.state() }],
  );
  const child = crossSpawn(process.execPath, [...script, CONTINUE_CALL], {
    // The process gets a session of its own, so that no key and no shell sends a signal to it.
    detached: true,
    cwd: "/",
    env: {},
    stdio: ["pipe", "ignore", "ignore", ...passedStreams.flatMap(({ descriptor, target }) => [descriptor, target])],
  });
  // If the process cannot be started, or has ended, this process can do nothing more for the streams.
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
  const masking = createMasking(secrets.map(([name, value]) => ({ name, value: Buffer.from(value, "base64") })));
  const system = await openSystem();
  if (system === undefined) return ExitStatus.failed;
  const { addon, watcher } = system;
  masking.prepare(addon);
  await Promise.all(
    streams.map(async ({ keptBytes, ...state }, index) => {
      const source = FIRST_STREAM_DESCRIPTOR + 2 * index;
      const target = source + 1;
      const masker = masking.stream({ ...state, keptBytes: Buffer.from(keptBytes, "base64") });
      await new Promise<void>((ended) => {
        // The launcher, which reported to the user, has ended. A failed write ends the pump, and so the stream.
        const events = { masked: () => {}, wrote: async () => {}, failed: () => {}, ended };
        const pump = startPump(readFrom(source, watcher), target, masker, events);
        watcher.whenUnread(target, () => void pump.loseReader());
      });
      watcher.forget(target);
      closeQuietly(target);
    }),
  );
  return 0;
}

import { once } from "node:events";
import crossSpawn from "cross-spawn";
import type { Secret } from "../../masking/model.ts";
import { isBun } from "../../system/runtime.ts";
import { CONTINUE_CALL } from "./call.ts";
import type { Pump } from "./pump.ts";
import type { Continuation } from "./continuation.ts";

declare const SOPHIA_RUN_FOLDER: string | undefined;

/**
 * Starts a process that goes on passing on what the program's background processes write: this one is about to end, as
 * the program did, and they keep the stream open. It gets the secrets through a pipe, and ends with the last writer.
 */
export async function handOver(pumps: readonly Pump[], secrets: readonly Secret[]): Promise<void> {
  const program = isBun
    ? []
    : [`${typeof SOPHIA_RUN_FOLDER === "undefined" ? "" : SOPHIA_RUN_FOLDER}/../bin/sophia-run.cjs`];
  const passed = pumps.flatMap(({ source: { descriptor }, target, state }) =>
    descriptor === undefined ? [] : [{ descriptor, target, state: state() }],
  );
  const child = crossSpawn(process.execPath, [...program, CONTINUE_CALL], {
    // A session of its own: no key and no end of a job is meant for it.
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

/** A client without a key floods the broker. The tests measure memory in bytes, and no times. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { skipBecause } from "../helpers/skip.ts";
import { startWaitingProgram } from "./broker-process.ts";
import { sendRequest, startUpstream } from "./upstream.ts";

skipBecause(process.platform === "linux" ? undefined : "needs /proc");

/** Sends the text on this many connections at once, and waits until all of them have ended. */
async function flood(origin: string, connections: number, text: string): Promise<void> {
  const { port } = new URL(origin);
  await Promise.all(
    Array.from({ length: connections }, () => {
      const socket = connect(Number(port), "127.0.0.1").on("error", () => {});
      socket.resume().write(text, "latin1");
      return new Promise<void>((resolve) => socket.once("close", () => resolve()));
    }),
  );
}

/** Returns the peak memory of a process in MB. */
function peakMemory(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

test("the requests behind a refused request do not fill the broker's memory", { timeout: 240_000 }, async () => {
  const upstream = await startUpstream((_, response) => void response.end("served"));
  const env = { OPENAI_API_KEY: "sk-real-0123456789abcdefghij", OPENAI_BASE_URL: `${upstream.origin}/v1` };
  const { environment, launcher } = await startWaitingProgram({ OPENAI_API_KEY: {} }, env);
  const { OPENAI_HOST: origin = "", OPENAI_API_KEY: dummy = "" } = environment;
  const before = peakMemory(launcher);
  await flood(origin, 250, "GET / HTTP/1.1\r\n\r\n".repeat(7000));
  const asked = await sendRequest(origin, "/v1/models", { headers: { Authorization: `Bearer ${dummy}` } });
  expect(asked).toMatchObject({ status: 200, body: "served" });
  // All of the requests together are some 1000 MB.
  expect(peakMemory(launcher) - before).toBeLessThan(300);
});

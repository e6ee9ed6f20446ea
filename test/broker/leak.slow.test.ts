/**
 * Counts what many requests, and many streams that the client abandons, leave behind. The test counts things and
 * measures no times.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import * as http from "node:http";
import type { Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { caseCount } from "../helpers/seed.ts";
import { waitForResponse, startBroker, startUpstream, readText } from "./upstream.ts";

const REQUESTS = caseCount(2000, 10_000);
const STREAMS = caseCount(200, 1000);
const AT_ONCE = 16;

/** Does `work` `count` times, 16 times at once. */
async function repeat(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Returns a set that always contains the open sockets of this process, those of clients and those of servers. */
function openSockets(): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const add = (message: unknown): void => {
    // The cast is sound because the documentation of both channels gives this type (diagnostics_channel of Node.js,
    // "Net").
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const { socket } = message as { readonly socket: Socket };
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  for (const name of ["net.client.socket", "net.server.socket"]) {
    subscribe(name, add);
    onTestFinished(() => void unsubscribe(name, add));
  }
  return sockets;
}

test(
  `${REQUESTS} requests and ${STREAMS} abandoned streams leave no descriptor and no connection to the service`,
  { timeout: 240_000 },
  async () => {
    const sockets = openSockets();
    let streams = 0;
    let ended = 0;
    let allEnded: () => void = () => {};
    const end = new Promise<void>((resolve) => {
      allEnded = resolve;
    });
    const upstream = await startUpstream((request, response) => {
      if (request.method === "POST") return void request.resume().on("end", () => response.end("{}"));
      streams += 1;
      response.on("close", () => {
        ended += 1;
        if (ended === STREAMS) allEnded();
      });
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: 1\n\n");
    });
    const before = countDescriptors();
    const { origin, routes, records, close } = await startBroker(upstream.origin, {});
    const client = new http.Agent({ keepAlive: true });
    onTestFinished(() => client.destroy());
    const headers = { Authorization: `Bearer ${routes[0].dummy}` };
    const answered = async (method: string): Promise<http.IncomingMessage> => {
      const request = http.request(origin, { method, path: "/v1/x", headers, agent: client });
      request.end(method === "POST" ? "body" : undefined);
      return waitForResponse(request);
    };

    await repeat(REQUESTS, async () => {
      expect(await readText(await answered("POST"))).toBe("{}");
    });
    expect(upstream.sockets.size).toBeLessThanOrEqual(AT_ONCE);
    await repeat(STREAMS, async () => {
      const stream = await answered("GET");
      await once(stream, "data");
      stream.on("error", () => {}).destroy();
    });
    await end;
    expect(streams).toBe(STREAMS);
    // The broker is still open here: these are its idle connections.
    expect(upstream.sockets.size).toBeLessThanOrEqual(AT_ONCE);

    client.destroy();
    close();
    const closed = Promise.all(Array.from(sockets, (socket) => once(socket, "close")));
    await Promise.race([closed, setTimeout(10_000, undefined, { ref: false })]);
    expect(sockets.size).toBe(0);
    expect(countDescriptors()).toBeLessThanOrEqual(before);
    expect(records).toHaveLength(REQUESTS + STREAMS);
    expect(records.filter(({ outcome }) => outcome !== "answered")).toEqual([]);
  },
);

/** Returns the number of this process's open files and sockets. */
function countDescriptors(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}

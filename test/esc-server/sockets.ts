/**
 * Ports that misbehave below HTTP: one that refuses connections, one that stays silent, and one to which connecting
 * never ends. The callers close the servers that they start.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import * as net from "node:net";
import { setImmediate } from "node:timers/promises";

/**
 * A port on which no process listens. One that a closed listener had could be given to another process, and a client's own
 * connection could get it: below 1024 the kernel gives none away.
 */
export const REFUSED_PORT = 1;

export interface SilentServer {
  readonly port: number;
  /** Resolves with the first bytes that a client sent. */
  readonly heard: Promise<Buffer>;
  close(): Promise<void>;
}

/** Accepts connections and never says anything: beneath https, a TLS handshake that never ends. */
export async function startSilentServer(): Promise<SilentServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer();
  const heard = new Promise<Buffer>((resolve) => {
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
      socket.once("data", resolve);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    heard,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export interface DeafPort {
  readonly port: number;
  close(): Promise<void>;
}

const LISTENER = `
  const server = require("node:net").createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => process.send(server.address().port));
  process.on("disconnect", () => process.exit());
`;

/**
 * A loopback port to which connecting takes for ever (Linux): a stopped process listens there and its queue is full,
 * so that the kernel drops further requests to connect.
 */
export async function startDeafPort(): Promise<DeafPort> {
  const child = spawn(process.execPath, ["-e", LISTENER], { stdio: ["ignore", "ignore", "inherit", "ipc"], env: {} });
  const [port] = await Promise.race([once(child, "message"), rejectWithOutput(child)]);
  if (typeof port !== "number") throw new TypeError("the listener did not report its port");
  child.kill("SIGSTOP");
  const fillers: net.Socket[] = [];
  while (!(await someoneWaits(port))) {
    if (fillers.length > 10) throw new Error("the kernel keeps accepting connections for a stopped process");
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    fillers.push(socket);
    // On loopback a connection is established, or not, as soon as the system call returns.
    await setImmediate();
  }
  return {
    port,
    async close() {
      for (const socket of fillers) socket.destroy();
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function rejectWithOutput(child: ChildProcess): Promise<never> {
  await once(child, "exit");
  throw new Error("the listener ended early");
}

/** Returns true if a connection to that port is pending in the kernel (state SYN_SENT, proc(5)). */
async function someoneWaits(port: number): Promise<boolean> {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const table = await readFile("/proc/net/tcp", "utf8");
  return table.split("\n").some((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[2] === remote && fields[3] === "02";
  });
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address.port;
}

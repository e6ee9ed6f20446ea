/** Ends of connections under which this process writes: the kernel sends it SIGPIPE, which is not the program's. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startBrokerProcess } from "../../../broker/broker-process.ts";
import { sendRequest } from "../../../broker/upstream.ts";

test("a client that leaves its WebSocket while the service sends does not end the program", async () => {
  // The service does not end its side when the client's has ended.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", (head) => {
      if (!String(head).includes("Upgrade")) return void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      socket.write("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
      const timer = setInterval(() => socket.write("more"), 1);
      socket.once("close", () => {
        clearInterval(timer);
        server.emit("gone");
      });
    });
  });
  server.on("connection", (socket: Socket) => socket.setNoDelay());
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const broker = await startBrokerProcess(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
  const { host, port } = new URL(broker.origin);
  const key = { Authorization: `Bearer ${broker.routes[0].dummy}` };
  for (let round = 0; round < 20; round++) {
    const socket = connect(Number(port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(
      `GET /v1/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${key.Authorization}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    await once(socket, "data");
    const gone = once(server, "gone");
    socket.destroy();
    await gone;
  }
  expect(await sendRequest(broker.origin, "/v1/x", { method: "GET", headers: key })).toMatchObject({ status: 200 });
});

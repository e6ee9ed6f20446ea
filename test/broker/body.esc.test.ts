import { once } from "node:events";
import * as http from "node:http";
import { createServer } from "node:net";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { sendBody } from "../../src/broker/body.ts";
import { responseTo } from "./upstream.ts";

// Elsewhere the kernel may drop what has arrived before a reset.
test.runIf(process.platform === "linux")("an answer is read before the next chunk fails", async () => {
  const body = new PassThrough();
  const server = createServer((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", () => {
        socket.resetAndDestroy();
        // In the same turn: the answer and the reset have arrived, and the client was told of neither.
        body.write("second");
      });
    });
  });
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const sent = http.request({ host: "127.0.0.1", port, method: "POST", agent: false });
  const answered = responseTo(sent);
  sent.on("error", () => {});
  sendBody(body, sent, true);
  body.write("first");
  expect((await answered).statusCode).toBe(413);
});

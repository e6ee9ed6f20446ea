import { once } from "node:events";
import * as http from "node:http";
import { createServer } from "node:net";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { sendBody } from "../../src/broker/send-body.ts";
import { waitForResponse } from "./upstream.ts";

// On other systems the kernel may drop the bytes that arrived before a reset.
test.runIf(process.platform === "linux")(
  "the broker reads an answer that has arrived before it finds that the next chunk of the body cannot be sent",
  async () => {
    const body = new PassThrough();
    const server = createServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", () => {
          socket.resetAndDestroy();
          // The next chunk is written in the same turn of the event loop: the answer and the reset have arrived, and the
          // client has not yet been told of either.
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
    const answered = waitForResponse(sent);
    sent.on("error", () => {});
    sendBody(body, sent, true);
    body.write("first");
    expect((await answered).statusCode).toBe(413);
  },
);

// A server that uses streams as connections. Each stream has ended before the server reads a byte. Prints what happens to each.
const { writeSync } = require("node:fs");
const http = require("node:http");
const { Duplex } = require("node:stream");

const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);
process.on("uncaughtException", (error) => log("uncaught", error.message));

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("error", ({ code }) => log("error", code)).on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    log("end", request.url, Buffer.concat(chunks).toString());
    response.end("answer");
  });
});
server.on("clientError", (error, socket) => {
  log("clientError", error.code);
  socket.destroy();
});

function take(parts) {
  return new Promise((resolve) => {
    const written = [];
    const stream = new Duplex({
      read() {},
      write(chunk, _, callback) {
        written.push(chunk);
        callback();
      },
    });
    stream.on("close", () => {
      log(
        "close",
        Buffer.concat(written)
          .toString()
          .replaceAll(/Date: [^\r]*/g, "Date"),
      );
      resolve();
    });
    for (const part of parts) stream.push(part);
    stream.push(null);
    server.emit("connection", stream);
  });
}

async function main() {
  const head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
  await take([`${head}body`]);
  await take([head, "bo", "dy"]);
  await take([`${head}body${head}body`]);
  await take([`${head}bod`]);
}

void main();

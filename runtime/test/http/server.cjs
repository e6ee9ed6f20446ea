// An HTTP server that prints its port, then all events. Node.js and the executable's runtime both run this script.
const { writeSync } = require("node:fs");
const http = require("node:http");

const log = (...values) => writeSync(1, `${JSON.stringify(values)}\n`);

function watch(name, emitter, events) {
  for (const event of events)
    emitter.on(event, (value) => log(name, event, ...(value instanceof Error ? [value.code] : [])));
}

const ACTS = {
  "/ignore": (_, response) => response.end("ignored"),
  "/destroy": (request) => request.destroy(),
  "/flush": (_, response) => {
    response.setHeader("A", "b");
    response.flushHeaders();
    setImmediate(() => response.end("x"));
  },
  "/trailer": (_, response) => {
    response.writeHead(200, { Trailer: "T" });
    response.write("x");
    response.end();
  },
  "/continue": (request, response) => {
    response.writeContinue();
    request.resume();
    request.on("end", () => response.end("done"));
  },
  "/pipe": (request, response) => request.pipe(response),
  "/204": (_, response) => response.writeHead(204).end("no body"),
  "/304": (_, response) => response.writeHead(304, { "transfer-encoding": "chunked" }).end(),
  "/latin1": (_, response) => {
    response.writeHead(200, "Caf\u00e9", ["X", "\u00fcber"]);
    response.write("", "latin1");
    response.end("x");
  },
  // The answer shows several forms of fields, and what they mean for the body and the connection.
  "/fields": (_, response) => {
    response.writeHead(200, ["X", 1, "content-LENGTH", 1, "Set-Cookie", ["a=1", "b=2"], "Cookie", ["c", "d"], "Y", ""]);
    response.end("x");
  },
  "/set": (_, response) => {
    response.setHeader("Transfer-Encoding", "x, Chunked");
    response.setHeader("Z", ["1", 2]).appendHeader("z", "\u00fc\t");
    response.end("x");
  },
  "/closes": (_, response) =>
    response
      .writeHead(200, [
        ["Connection", "x,CLOSE"],
        ["Keep-Alive", "x"],
      ])
      .end("x"),
  "/disclosed": (_, response) => response.writeHead(200, { Connection: "disclosed", Date: "now" }).end("x"),
  "/wrong": (_, response) => {
    const wrong = [
      ["a b", "x"],
      ["", "x"],
      ["X", "a\r\nb"],
      ["X", undefined],
      ["X", "\u0100"],
      ["X", null],
      ["X", ["a", "\0"]],
    ];
    for (const fields of wrong) {
      try {
        response.writeHead(200, fields);
      } catch (error) {
        log("wrong", error.code, error.message);
      }
    }
    response.end("x");
  },
  "/large": (_, response) => {
    let count = 0;
    const more = () => {
      while (count < 100) {
        count += 1;
        if (!response.write("y".repeat(20_000))) return response.once("drain", more);
      }
      return response.end();
    };
    more();
  },
  "/quit": () => process.exit(0),
};

const act = (kind) => (request, response) => {
  const { method, url, httpVersion, headers, rawHeaders } = request;
  log(kind, method, url, httpVersion, headers, rawHeaders.length);
  watch("request", request, ["aborted", "error"]);
  watch("response", response, ["finish", "close", "error"]);
  const special = ACTS[url];
  if (special !== undefined) return special(request, response);
  let length = 0;
  request.on("data", (chunk) => {
    length += chunk.length;
  });
  return request.on("end", () => {
    log("end", length, request.complete, request.rawTrailers);
    response.end(`got ${length}`);
  });
};

const server = http.createServer({ maxHeaderSize: 2048, requireHostHeader: process.argv[2] === "host" });
server.maxHeadersCount = 0;
server.on("request", act("request"));
server.on("checkContinue", act("checkContinue"));
server.on("checkExpectation", act("checkExpectation"));
server.on("upgrade", (request, socket, head) => {
  log("upgrade", request.url, head.toString());
  socket.end("HTTP/1.1 101 Switching\r\n\r\nbye");
  socket.on("error", () => {});
});
server.on("connect", (request, socket, head) => {
  log("connect", request.url, head.toString());
  socket.end("HTTP/1.1 200 OK\r\n\r\n");
});
if (process.argv[2] !== "host") {
  server.on("clientError", (error, socket) => {
    log("clientError", error.code, error.bytesParsed, socket.writable, socket.readableEnded, socket.bytesRead);
    if (socket.writable) socket.end("HTTP/1.1 400 Mine\r\n\r\n");
    else socket.destroy();
  });
}
server.listen(0, "127.0.0.1", () => log(server.address().port));

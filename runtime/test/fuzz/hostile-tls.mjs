/** A TLS server (1.2 and 1.3) behind a proxy that changes, cuts off, delays and invents bytes on their way to the client. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { join } from "node:path";
import { chooseInput, readCorpus } from "./corpus.cjs";
import { mutate, pieces, random } from "./random.cjs";

/** What the server answers. A client must not receive any other byte. */
export const ANSWER = "answer ".repeat(3000);

/** The types of the records that the proxy adds: alerts, handshakes, data, and an unknown type. */
const TYPES = [20, 21, 22, 23, 24, 0, 255];

/** What servers have sent first (record-flights.mjs). */
const FLIGHTS = readCorpus(join(import.meta.dirname, "corpus/tls"));
/** Where a ClientHello and a ServerHello have the length of the session's ID: behind record, handshake, version and random. */
const SESSION_ID = 43;
const SESSION_ID_LENGTH = 32;

/**
 * Returns a recorded flight as an answer to this ClientHello: a client of TLS 1.3 reads no further if the session's ID is not its
 * own (RFC 8446, section 4.1.3).
 */
function answerWith(flight, clientHello) {
  const isServerHello = flight[0] === 22 && flight[SESSION_ID] === SESSION_ID_LENGTH;
  if (!isServerHello || clientHello[SESSION_ID] !== SESSION_ID_LENGTH) return flight;
  const answer = Buffer.from(flight);
  clientHello.copy(answer, SESSION_ID + 1, SESSION_ID + 1, SESSION_ID + 1 + SESSION_ID_LENGTH);
  return answer;
}

function invented(next) {
  const body = Buffer.from(Array.from({ length: next(60) }, () => next(256)));
  const head = Buffer.from([TYPES[next(TYPES.length)], 3, next(5), 0, 0]);
  head.writeUInt16BE(next(10) === 0 ? next(65_536) : body.length, 3);
  return Buffer.concat([head, body]);
}

/**
 * @param batch the seed, and the number of the first connection; each later connection has the next number
 *
 * @returns the proxy's port, and a function that ends the proxy and the servers
 */
export async function serveHostileTls({ seed, first }, key, cert) {
  const servers = ["TLSv1.2", "TLSv1.3"].map((version) => {
    const options = { key, cert, minVersion: version, maxVersion: version, ALPNProtocols: ["http/1.1"] };
    return createTlsServer(options, (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(ANSWER));
    }).on("tlsClientError", () => {});
  });
  let number = first - 1;
  const proxy = createServer({ noDelay: true }, (client) => {
    number += 1;
    const next = random(seed + number);
    client.on("error", () => {});
    if (number < FLIGHTS.length || next(4) === 0) {
      const flight = chooseInput(FLIGHTS, number, next);
      client.once("data", (clientHello) => {
        for (const part of pieces(next, answerWith(flight, clientHello))) client.write(part);
        client.end();
      });
      return;
    }
    const server = connect(servers[next(2)].address().port, "127.0.0.1");
    const isHonest = next(20) === 0;
    // The first flights contain the handshake, and later flights the answer.
    let flights = isHonest ? -1 : 1 + next(4);
    client.on("error", () => server.destroy()).on("close", () => server.destroy());
    server.on("error", () => client.destroy());
    client.pipe(server);
    server.on("data", (bytes) => {
      flights -= 1;
      if (flights !== 0) return void client.write(bytes);
      const kind = next(8);
      if (kind === 0) return void client.end(bytes.subarray(0, next(bytes.length)));
      if (kind === 1) return void client.resetAndDestroy();
      const changed = kind < 3 ? Buffer.concat([invented(next), bytes, invented(next)]) : mutate(next, bytes);
      for (const part of pieces(next, changed)) client.write(part);
      // The client waits for the missing bytes until the connection ends.
      client.end();
    });
    server.on("end", () => client.end());
  });
  for (const server of [...servers, proxy]) await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: proxy.address().port, close: () => [...servers, proxy].forEach((server) => server.close()) };
}

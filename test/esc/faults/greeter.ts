/** A server that does not use HTTP, for the cases of faults of ESC. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { Stage } from "./case.ts";

const SSH = "SSH-2.0-OpenSSH_9.9\r\n";

/** The port of a server that greets, as SSH does, whatever it hears. */
export async function startGreeter(defer: Stage["defer"], greeting = SSH): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {}).resume();
    socket.end(greeting);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  defer(async () => {
    server.close();
    await once(server, "close");
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return address.port;
}

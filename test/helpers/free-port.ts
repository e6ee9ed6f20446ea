/** Finds a port for a server that a test starts and that cannot choose a port itself. */
import { createServer } from "node:net";

/** Returns a port of this machine on which no process listens. Another process may take it before the test does. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
    });
  });
}

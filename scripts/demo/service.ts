/**
 * A local service in place of a provider of language models, for the scene of the demo that shows the broker. The
 * caller disposes of it.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";

/** A service on loopback that stands for a provider of language models, and notes which keys it gets. */
export interface DemoService extends AsyncDisposable {
  /** The address for its clients, such as `http://127.0.0.1:40123/v1`. */
  readonly address: string;
  readonly keys: readonly string[];
}

export async function startService(): Promise<DemoService> {
  const keys: string[] = [];
  const server = createServer((request, response) => {
    keys.push((request.headers.authorization ?? "").replace(/^Bearer /, ""));
    response.end("hello");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound: AddressInfo | string | null = server.address();
  if (bound === null || typeof bound === "string") throw new TypeError("the service has no port");
  return {
    address: `http://127.0.0.1:${bound.port}/v1`,
    keys,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

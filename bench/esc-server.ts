/**
 * The ESC server of the tests with its sample data, in a process of its own. Prints `{ url, token, environment }` once it
 * listens, and for each line that it reads `{ requests, connections }` since the line before.
 */
import { createInterface } from "node:readline";
import { addDemoEnvironments, DEMO_ENVIRONMENT } from "../test/esc-server/demo-data.ts";
import { startEscServer } from "../test/esc-server/index.ts";

async function main(): Promise<void> {
  const server = await startEscServer();
  addDemoEnvironments(server);
  let connections = 0;
  const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ url: server.url, token: server.token, environment: DEMO_ENVIRONMENT });
  for await (const _ of createInterface({ input: process.stdin })) {
    say({ requests: server.calls.length, connections: server.connections - connections });
    server.reset();
    connections = server.connections;
  }
  await server.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

/**
 * The ESC server of the tests in a process of its own, with one environment that meets the Sophia contract. Prints
 * `{ url, token, environment, authority }` once it listens, and for each line on its input the `{ requests, connections }` since
 * then. With `--tls` it speaks TLS, and `authority` is the file of the private authority.
 */
import { createInterface } from "node:readline";
import { secret, startEscServer } from "../test/esc-server/index.ts";
import { makeCertificates } from "../test/esc-server/tls.ts";
import { CONTRACT_VALUES, DOTENV_VALUES } from "./surroundings.ts";

async function main(): Promise<void> {
  const certificates = process.argv.includes("--tls") ? await makeCertificates() : undefined;
  const server = await startEscServer(certificates === undefined ? {} : { tls: certificates.valid });
  const values = { ...CONTRACT_VALUES, OPENAI_API_KEY: DOTENV_VALUES.OPENAI_API_KEY };
  const environment = "demo-org/sophia/dev";
  const secrets = Object.entries(values).map(([name, value]) => [name, secret(value)]);
  server.environment(environment, { values: Object.fromEntries(secrets) });
  let connections = 0;
  const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
  say({ url: server.url, token: server.token, environment, authority: certificates?.caFile });
  for await (const _ of createInterface({ input: process.stdin })) {
    say({ requests: server.calls.length, connections: server.connections - connections });
    server.reset();
    connections = server.connections;
  }
  await server.close();
  await certificates?.remove();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

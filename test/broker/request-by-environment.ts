/**
 * Starts a broker with the network settings of this process's environment, sends one request through the broker to the origin of
 * the argument, and prints the answer as JSON: `{"status":200,"body":"ok"}`. connection.esc.test.ts runs this file as a process of
 * its own, because Node.js reads NODE_EXTRA_CA_CERTS only when it starts.
 */
import { openBroker } from "../../src/broker/broker-server.ts";
import { readCallerNetwork } from "../../src/esc/settings/access-settings.ts";
import { createConnectionPool } from "../../src/network/pool.ts";
import { REAL_KEYS, createRoutes } from "./routes.ts";

async function printAnswer(origin: string): Promise<void> {
  const environment = new Map(Object.entries(process.env).flatMap(([name, value = ""]) => [[name, value] as const]));
  const agent = createConnectionPool(origin, readCallerNetwork(environment));
  const routes = createRoutes(origin);
  const broker = await openBroker({
    keyOf: (name) => REAL_KEYS[name] ?? "",
    agentFor: () => agent,
    onUnauthorized: () => Promise.resolve(),
    record: () => {},
    reportRecordFailure: () => {},
  });
  broker.replaceRoutes(routes);
  const answer = await fetch(`${broker.origin}/v1/x`, { headers: { Authorization: `Bearer ${routes[0].dummy}` } });
  process.stdout.write(JSON.stringify({ status: answer.status, body: await answer.text() }));
  broker.close();
}

void printAnswer(process.argv[2] ?? "");

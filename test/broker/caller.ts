/**
 * Starts a broker with the network settings of its own environment, sends one request through the broker to the origin
 * of the argument, and prints the outcome as JSON. It is a process of its own because Node.js reads NODE_EXTRA_CA_CERTS
 * only when it starts.
 */
import { openBroker } from "../../src/broker/broker-server.ts";
import { readCallerNetwork } from "../../src/esc/settings/access-settings.ts";
import { createConnectionPool } from "../../src/network/pool.ts";
import { KEYS, routesTo } from "./routes.ts";

async function printOutcome(origin: string): Promise<void> {
  const environment = new Map(Object.entries(process.env).flatMap(([name, value = ""]) => [[name, value] as const]));
  const agent = createConnectionPool(origin, readCallerNetwork(environment));
  const routes = routesTo(origin);
  const broker = await openBroker({
    keyOf: (name) => KEYS[name] ?? "",
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

void printOutcome(process.argv[2] ?? "");

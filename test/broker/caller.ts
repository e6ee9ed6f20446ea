/**
 * A process with a broker in its caller's environment, since Node.js reads NODE_EXTRA_CA_CERTS when it starts. Sends one
 * request to the origin of its argument, and prints the outcome as JSON.
 */
import { openBroker } from "../../src/broker/broker-server.ts";
import { callersNetwork } from "../../src/esc/settings/access-settings.ts";
import { agentFor } from "../../src/network/pool.ts";
import { KEYS, routesTo } from "./routes.ts";

async function ask(origin: string): Promise<void> {
  const environment = new Map(Object.entries(process.env).flatMap(([name, value = ""]) => [[name, value] as const]));
  const agent = agentFor(origin, callersNetwork(environment));
  const routes = routesTo(origin);
  const broker = await openBroker({
    keyOf: (name) => KEYS[name] ?? "",
    agentFor: () => agent,
    onUnauthorized: () => Promise.resolve(),
    record: () => {},
    failed: () => {},
  });
  broker.replaceRoutes(routes);
  const answer = await fetch(`${broker.origin}/v1/x`, { headers: { Authorization: `Bearer ${routes[0].dummy}` } });
  process.stdout.write(JSON.stringify({ status: answer.status, body: await answer.text() }));
  broker.close();
}

void ask(process.argv[2] ?? "");

import { parseArgs } from "node:util";
import { addDemoEnvironments, DEMO_ENVIRONMENT } from "./demo-data.ts";
import { startEscServer } from "./server.ts";

/**
 * Serves the sample environment until SIGTERM or SIGINT, or with `--stdin` until standard input ends. Prints one line
 * of JSON once it listens: `{ url, token, environment }`, and at its end what clients did against the rules, a line each
 * to standard error. With `--id-token TOKEN` the organization of the sample trusts that ID token.
 */
async function main(args: readonly string[]): Promise<void> {
  const { stdin, "id-token": idToken } = parseArgs({
    args: [...args],
    options: { stdin: { type: "boolean" }, "id-token": { type: "string" } },
  }).values;
  const trusted = { subjectTokens: idToken === undefined ? [] : [idToken] };
  const server = await startEscServer({ oidc: { ...trusted, organization: DEMO_ENVIRONMENT.split("/")[0] ?? "" } });
  addDemoEnvironments(server);
  const stop = (): void => {
    process.stdin.destroy();
    for (const violation of server.violations) process.stderr.write(`${violation}\n`);
    void server.close();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  if (stdin === true) {
    process.stdin.once("end", stop);
    process.stdin.resume();
  }
  const { url, token } = server;
  process.stdout.write(`${JSON.stringify({ url, token, environment: DEMO_ENVIRONMENT })}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

import { addDemoEnvironments, DEMO_ENVIRONMENT } from "./demo-data.ts";
import { startEscServer } from "./server.ts";

/**
 * Serves the sample environment until SIGTERM or SIGINT, or with `--stdin` until standard input ends. Prints one line
 * of JSON once it listens: `{ url, token, environment }`.
 */
async function main(options: readonly string[]): Promise<void> {
  const wrong = options.find((option) => option !== "--stdin");
  if (wrong !== undefined) throw new Error(`unknown option ${wrong}; the only one is --stdin`);
  const server = await startEscServer();
  addDemoEnvironments(server);
  const stop = (): void => {
    process.stdin.destroy();
    void server.close();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  if (options.includes("--stdin")) {
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

/**
 * `npm run demo`: shows the main uses of sophia-run with real processes, in a few seconds: first in a project that has a `.env`,
 * then with a local ESC server.
 * `npm run demo -- --serve`: runs the server alone.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { join } from "node:path";
import { playDotenv } from "./demo/dotenv-scene.ts";
import { origins } from "./demo/origins.ts";
import { makePaint } from "./demo/paint.ts";
import { openProject } from "./demo/project.ts";
import { type Margin, Stage } from "./demo/stage.ts";
import { serve } from "./demo/serve.ts";
import { startService } from "./demo/service.ts";
import { type DemoWorld, INCOMPLETE_ENVIRONMENT, openWorld } from "./demo/world.ts";

const APP = ["sophia-run", "--", "node", "app.js"] as const;

/** Waits for the process that removes the file once its program has ended. */
async function isGone(file: string): Promise<boolean> {
  for (let look = 0; existsSync(file) && look < 200; look++) await setTimeout(10);
  return !existsSync(file);
}

async function play(stage: Stage, world: DemoWorld): Promise<void> {
  const { server, environment } = world;
  stage.step(
    "With a team: Pulumi ESC",
    "ESC (Environments, Secrets, and Configuration) is a service from which a team gets",
    "its values. A local server implements its API here. Every value is fake, and what",
    "is shown is masked.",
  );
  stage.prompt(`export PULUMI_BACKEND_URL=${server.url}`);
  stage.prompt(`export ESC_ENV=${environment["ESC_ENV"] ?? ""} ESC_TOKEN=***${server.token.slice(-4)}`);

  stage.step("The smoke check", "Is each variable of the contract set, and where does it come from?");
  await stage.play({ words: ["sophia-run", "check"] }, world, { shows: [/All checks passed! .* from ESC/] });

  const local = { QDRANT_URL: "http://127.0.0.1:6333" };
  stage.step(
    "A program gets its configuration",
    "The environment wins over ESC; .env fills only what both lack. app.js knows of",
    "none of this: it reads its own environment. Left: what app.js wrote. Right:",
    "what `sophia-run explain --json` says of the same variable.",
  );
  const { stdout } = await stage.play(
    { variables: local, words: APP },
    world,
    { shows: [/overrides ESC for QDRANT_URL/, /^QDRANT_API_KEY +\*{3}\w{4}$/m, /^ESC_TOKEN +not set$/m, /mode 600/] },
    { margin: beside(local, world) },
  );
  const file = /mode 600, (\S+)/.exec(stdout)?.[1];
  stage.verify(file !== undefined && (await isGone(file)), "the secret file is gone with the program that it was for");

  stage.step("Where one value comes from, and what it overrides");
  await stage.play({ variables: local, words: ["sophia-run", "explain", "QDRANT_URL"] }, world, {
    shows: [/from +the process environment/, /hides +ESC/, /hides +\.env/],
  });

  stage.step("The same for a shell", 'eval "$(…)" of the lines sets the variables. The values are cut off here.');
  const names = 'sophia-run export --format shell --include "QDRANT_*" | cut -d= -f1';
  await stage.play({ words: ["sh", "-c", names] }, world, { shows: [/^export QDRANT_API_KEY$/m] });

  stage.step("A signal reaches the program, which ends as it wants to");
  await stage.play(
    { words: ["sophia-run", "--mode", "spawn", "--", "node", "server.js"] },
    world,
    { shows: [/^SIGTERM: finishing the last request$/m] },
    { interruption: { signal: "SIGTERM", after: /serving/ } },
  );

  stage.step("The program's exit status is the exit status");
  const shell = ["sophia-run", "--", "sh", "-c"] as const;
  await stage.play({ words: [...shell, "exit 7"] }, world, { status: 7 });
  await stage.play({ words: [...shell, "kill -TERM $$"] }, world, { signal: "SIGTERM" });
  await stage.play({ words: ["sophia-run", "--", "no-such-program"] }, world, { status: 127 });
  await stage.play({ words: ["sophia-run", "--", "./.env"] }, world, { status: 126 });
  await stage.play({ words: ["sophia-run", "--timeout", "soon", "--", "true"] }, world, { status: 125 });

  stage.step("A secret is missing", "Nothing is started; the message says what to do.");
  await stage.play({ variables: { ESC_ENV: INCOMPLETE_ENVIRONMENT }, words: APP }, world, {
    status: 78,
    shows: [/QDRANT_API_KEY .* is required and not set/, /sophia-run set QDRANT_API_KEY/],
  });

  await playBroker(stage, world);

  await server.close();
  const ci = {
    PULUMI_ACCESS_TOKEN: "pul-fake-from-the-environment-000000c9d0",
    QDRANT_API_KEY: "fake-from-the-environment-000000000e1f2",
  };
  stage.step(
    "ESC is down: emergency access",
    "The server is stopped. The environment has PULUMI_ACCESS_TOKEN and",
    "QDRANT_API_KEY now, .env has the rest.",
  );
  const emergency = { ...world, environment: { ...environment, ...ci } };
  await stage.play(
    { words: APP },
    emergency,
    {
      shows: [
        /warning: ESC environment \S+ cannot be read:[^;]*ECONNREFUSED/,
        /^QDRANT_API_KEY +\*{3}e1f2$/m,
        /^GITHUB_PAT +\*{3}a1b2$/m,
      ],
    },
    { margin: beside({}, emergency) },
  );
}

async function playBroker(stage: Stage, world: DemoWorld): Promise<void> {
  await using service = await startService();
  stage.step(
    "A program uses a key that it never holds",
    "The address of the environment is a gateway for the key: here a service of this",
    "demo. ask.js prints the dummy that it got; its request carries the key of ESC. The",
    "other keys of ESC, which the contract does not declare, are left out.",
  );
  stage.prompt(`export OPENAI_BASE_URL=${service.address}`);
  const gateway = { ...world, environment: { ...world.environment, OPENAI_BASE_URL: service.address } };
  await stage.play({ words: ["sophia-run", "--broker", "--only-declared", "--", "node", "ask.js"] }, gateway, {
    shows: [/^my key: sk-sophia-\w{32}$/m, /^answer: hello$/m],
  });
  const [key = ""] = service.keys;
  stage.verify(key.endsWith("83f2"), `the service got the key ***${key.slice(-4)}, of which the program knows nothing`);
}

/** Adds a variable's origin to the line in which the program shows it. */
async function beside(variables: Readonly<Record<string, string>>, world: DemoWorld): Promise<Margin> {
  const found = await origins(variables, world);
  return (line) => found.get(/^\w+/.exec(line)?.[0] ?? "") ?? "";
}

async function main(): Promise<void> {
  execFileSync(process.execPath, [join(import.meta.dirname, "build.mjs"), "--if-changed"], { stdio: "inherit" });
  const started = performance.now();
  const stage = new Stage(
    (text) => void process.stdout.write(text),
    makePaint(process.stdout.isTTY, process.env),
    process.stdout.columns,
  );
  const world = await openWorld();
  const project = openProject();
  const close = async (): Promise<void> => {
    project.close();
    await world.close();
  };
  // Cleans up if the demo is interrupted, or its reader ends (`| head`).
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => void close().finally(() => process.kill(process.pid, signal)));
  }
  process.stdout.once("error", () => void close().finally(() => process.exit(1)));
  if (process.argv.includes("--serve")) return serve(world);
  try {
    await playDotenv(stage, project);
    project.close();
    await play(stage, world);
  } finally {
    await close();
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const { failures } = stage;
  stage.end(
    failures.length === 0
      ? [`Everything went as announced, in ${seconds} s. README.md has more.`]
      : [`${failures.length} of the announcements did not come true:`, ...failures.map((one) => `  ${one}`)],
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

/** The images of examples/docker with Podman: their builds, and what its options do, with the package and with the executable. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secret, startEscServer } from "../../../test/esc-server/index.ts";
import { type Finished, run } from "../processes.ts";
import { type Case, openPlace, runCases, selected, shared, until } from "../report.ts";
import { loadBaseImages, podman } from "./podman.mts";

const KEY = "key-that-no-report-may-show";
const VALUES = { QDRANT_URL: "https://qdrant.example:6333", QDRANT_API_KEY: secret(KEY) };
const ANSWER = { qdrant: "qdrant.example:6333", authenticated: true };
const APP = join(shared, "projects/docker");
/** Seconds that `podman stop` waits before SIGKILL, and milliseconds in which what handles SIGTERM has ended. */
const GRACE = 20;
const IN_TIME = 8_000;

const esc = await startEscServer();
const environment = esc.environment("acme/sophia/prod", { values: VALUES });
Object.assign(process.env, { ESC_TOKEN: esc.token });

/** Runs Podman to its end, whatever that is. */
function attempt(...args: readonly string[]): Promise<Finished> {
  return run(["podman", ...args]);
}

/** Builds a Dockerfile of the example. */
function build(file: string, ...options: readonly string[]): Promise<Finished> {
  const tag = file === "Dockerfile" ? "app" : file.replace(".Dockerfile", "");
  return attempt("build", `--tag=${tag}`, `--file=${APP}/${file}`, ...options, APP);
}

interface Form {
  readonly name: string;
  /** The command in front of `--`: that of the image, or of the user. */
  readonly entrypoint: readonly string[];
}

const EXECUTABLE: Form = { name: "executable", entrypoint: ["/usr/local/bin/sophia-run"] };
const PACKAGE: Form = { name: "package", entrypoint: ["node_modules/.bin/sophia-run"] };

/** How ESC is reached: what a user of pulumi.com needs is the first line alone. */
const ESC = [
  "--env=ESC_ENV=acme/sophia/prod",
  "--env=ESC_TOKEN",
  `--env=PULUMI_BACKEND_URL=${esc.url}`,
  "--network=host",
];

const NODE = ["node", "-e"] as const;

function started(entrypoint: readonly string[], options: readonly string[]): readonly string[] {
  return [...ESC, `--entrypoint=${JSON.stringify([...entrypoint, "--"])}`, ...options];
}

function casesOf({ name: form, entrypoint }: Form): readonly Case[] {
  const start = (options: readonly string[], ...command: readonly string[]): Promise<Finished> =>
    attempt("run", "--rm", ...started(entrypoint, options), "app", ...command);

  /** Starts a container in the background, and removes it after. */
  async function within(
    options: readonly string[],
    command: readonly string[],
    use: (id: string) => Promise<void>,
  ): Promise<void> {
    const id = await podman("run", "--detach", ...started(entrypoint, options), "app", ...command);
    try {
      await use(id);
    } finally {
      await podman("rm", "--force", "--time=0", id);
    }
  }

  const logged = (id: string, line: string): Promise<string> =>
    until(
      `${line} in the log`,
      () => logs(id),
      (log) => log.includes(line),
    );

  const cases: readonly Case[] = [
    [
      "the server has its values, and the health check of the Dockerfile succeeds only while it answers",
      async () => {
        await within([], ["node", "server.js"], async (id) => {
          await logged(id, "listening on port 3000");
          assert.deepEqual(await (await fetch("http://127.0.0.1:3000/")).json(), ANSWER);
          assert.equal((await attempt("healthcheck", "run", id)).status, 0);
        });
        await within([], ["sleep", "infinity"], async (id) => {
          await starts(id, "sleep");
          assert.equal((await attempt("healthcheck", "run", id)).status, 1);
        });
      },
    ],
    [
      "the exit status is the program's, also of a signal, or that of sophia-run",
      async () => {
        for (const status of [0, 1, 42])
          assert.equal((await start([], ...NODE, `process.exit(${status})`)).status, status);
        for (const [signal, status] of [
          ["TERM", 143],
          ["KILL", 137],
          ["INT", 130],
        ] as const) {
          assert.equal(
            (await start([], ...NODE, `process.kill(process.pid, "SIG${signal}"); setInterval(() => {}, 1e6)`)).status,
            status,
          );
        }
        assert.equal((await start([], "/app")).status, 126);
        assert.equal((await start([], "/nonexistent")).status, 127);
        environment.revise({ values: { QDRANT_API_KEY: secret(KEY) } });
        const unmet = await start([], "true");
        assert.equal(unmet.status, 78);
        assert.match(unmet.stderr, /✗ QDRANT_URL/);
        environment.deny(403);
        const refused = await start(["--env=SOPHIA_REQUIRE_ESC=1"], "true");
        assert.equal(refused.status, 125);
        assert.match(refused.stderr, /sophia-run: ESC environment acme\/sophia\/prod/);
        assert(![unmet, refused].some(({ stderr }) => stderr.includes(KEY) || stderr.includes(esc.token)));
      },
    ],
    [
      "each signal of podman kill reaches the program",
      async () => {
        const signals = ["HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "WINCH"];
        const traps = signals.map((signal) => `trap 'echo got ${signal}.' ${signal}`).join("; ");
        await within([], ["sh", "-c", `${traps}; echo ready; while :; do sleep 1000 & wait $!; done`], async (id) => {
          await logged(id, "ready");
          for (const signal of signals) {
            await podman("kill", `--signal=${signal}`, id);
            await logged(id, `got ${signal}.`);
          }
        });
      },
    ],
    ...(["spawn", "exec"] as const).map((mode): Case => [
      `podman stop in ${mode} mode: the server handles SIGTERM, and its status is the container's`,
      async () => {
        await within([`--env=SOPHIA_MODE=${mode}`], ["node", "server.js"], async (id) => {
          await logged(id, "listening");
          await stops(id, "0");
          assert.match(await logs(id), /stopped by SIGTERM/);
        });
      },
    ]),
    ...(
      [
        ["by sophia-run as PID 1", []],
        ["with --init", ["--init"]],
        ["with --init in exec mode", ["--init", "--env=SOPHIA_MODE=exec"]],
      ] as const
    ).map(([how, options]): Case => [
      `podman stop ends a program without a handler for SIGTERM ${how}`,
      async () => {
        await within(options, ["sleep", "infinity"], async (id) => {
          await starts(id, "sleep");
          await stops(id, "143");
        });
      },
    ]),
    [
      "in exec mode without --init the kernel gives PID 1 no default action: SIGKILL ends the same program, 137",
      async () => {
        await within(["--env=SOPHIA_MODE=exec"], ["sleep", "infinity"], async (id) => {
          await starts(id, "sleep");
          await podman("stop", "--time=1", id);
          assert.equal(await podman("inspect", "--format={{.State.ExitCode}}", id), "137");
        });
      },
    ],
    [
      "podman stop while ESC hangs ends the start",
      async () => {
        esc.failAlways("open", "hang");
        const opened = esc.count("open");
        await within([], ["sleep", "infinity"], async (id) => {
          await esc.waitFor("open", opened + 1);
          await stops(id, "143");
        });
      },
    ],
    [
      "--user, --read-only, --cap-drop, no-new-privileges, limits of memory and processes",
      async () => {
        const options = ["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges", "--user=12345:12345"];
        const limits = ["--memory=256m", "--pids-limit=64"];
        const script =
          "id -u; echo $QDRANT_URL; touch /app/file 2>&1; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status";
        const { status, stdout } = await start([...options, ...limits], "sh", "-c", script);
        assert.equal(status, 0);
        assert.match(
          stdout,
          /^12345\nhttps:\/\/qdrant\.example:6333\n.*Read-only file system\nCapEff:\t0+\nNoNewPrivs:\t1\n$/,
        );
      },
    ],
    [
      "--env-file: a file with the token",
      async () => {
        const file = fileWith(`ESC_TOKEN=${esc.token}\n`);
        const { status, stdout } = await start([`--env-file=${file}`], "sh", "-c", "echo $QDRANT_URL");
        assert.deepEqual([status, stdout], [0, "https://qdrant.example:6333\n"]);
      },
    ],
    [
      "--secret: the token's file is in no property, and secrets with the names of variables are read without ESC",
      async () => {
        await podman("secret", "create", "esc_token", fileWith(`${esc.token}\n`));
        await podman("secret", "create", "qdrant_api_key", fileWith(KEY));
        try {
          const token = ["--secret=esc_token,uid=1000,mode=0400", "--env=ESC_TOKEN_FILE=/run/secrets/esc_token"];
          await within([...token, "--env=ESC_TOKEN="], ["node", "server.js"], async (id) => {
            await logged(id, "listening");
            assert.equal(await podman("exec", id, "stat", "-c", "%a %u", "/run/secrets/esc_token"), "400 1000");
            const all = [await podman("inspect", id), await logs(id)].join("\n");
            assert(!all.includes(esc.token) && !all.includes(KEY));
          });
          const opened = esc.count("open");
          const alone = ["--secret=qdrant_api_key,uid=1000,mode=0400", "--env=ESC_ENV=", "--env=ESC_TOKEN="];
          const url = `--env=QDRANT_URL=${VALUES.QDRANT_URL}`;
          const { status, stdout } = await start([...alone, url], "sh", "-c", "echo $QDRANT_API_KEY");
          assert.deepEqual([status, stdout], [0, `${KEY}\n`]);
          assert.equal(esc.count("open"), opened);
        } finally {
          await podman("secret", "rm", "esc_token", "qdrant_api_key");
        }
      },
    ],
    [
      "files of ESC with --read-only: in memory, and the user's alone",
      async () => {
        environment.revise({ values: VALUES, files: { CERTIFICATE: "text of the file" } });
        const script =
          "cat $CERTIFICATE; echo; stat -c '%a %u' $CERTIFICATE; df --output=fstype,target $CERTIFICATE | tail -n 1";
        const { status, stdout } = await start(["--read-only"], "sh", "-c", script);
        assert.equal(status, 0);
        assert.match(stdout, /^text of the file\n600 1000\ntmpfs +\/dev\/shm\n$/);
      },
    ],
    [
      "podman logs of masked output has no secret",
      async () => {
        const { status, stdout } = await start(
          ["--env=SOPHIA_REDACT=always"],
          "sh",
          "-c",
          "echo the key is $QDRANT_API_KEY",
        );
        assert.deepEqual([status, stdout], [0, "the key is ***\n"]);
      },
    ],
  ];
  return cases.map(([name, test]): Case => [`${form}: ${name}`, () => fresh(test)]);
}

async function fresh(test: () => Promise<void>): Promise<void> {
  environment.revise({ values: VALUES });
  environment.deny(undefined);
  esc.heal();
  await test();
  assert.deepEqual(esc.violations, []);
}

async function logs(id: string): Promise<string> {
  const { stdout, stderr } = await attempt("logs", id);
  return stdout + stderr;
}

/** Waits until a program runs in a container. */
async function starts(id: string, program: string): Promise<void> {
  await until(
    `the start of ${program}`,
    async () => (await attempt("top", id, "comm")).stdout,
    (processes) => processes.split("\n").includes(program),
  );
}

async function stops(id: string, status: string): Promise<void> {
  const start = Date.now();
  await podman("stop", `--time=${GRACE}`, id);
  const milliseconds = Date.now() - start;
  assert.equal(await podman("inspect", "--format={{.State.ExitCode}}", id), status);
  assert(milliseconds < IN_TIME, `${milliseconds} ms`);
}

function fileWith(content: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "places-")), "file");
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

/** The health check of an image. */
function healthCheck(image: string): Promise<string> {
  return podman("image", "inspect", "--format={{json .HealthCheck}}", image);
}

const FILES = ["Dockerfile", "alpine.Dockerfile", "distroless.Dockerfile"] as const;
const DOCKER_FORMAT = "--format=docker";

const builds: readonly Case[] = [
  [
    "build without --format docker drops HEALTHCHECK, and warns",
    async () => {
      const { status, stderr } = await build("Dockerfile");
      assert.equal(status, 0, stderr);
      assert.match(stderr, /HEALTHCHECK is not supported for OCI image format/);
      assert.equal(await healthCheck("app"), "null");
    },
  ],
  ...FILES.map((file): Case => [
    `${file} as it is, with --format docker: the image has the health check, and the program its values`,
    async () => {
      const { status, stderr } = await build(file, DOCKER_FORMAT);
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /HEALTHCHECK/);
      const image = file === "Dockerfile" ? "app" : file.replace(".Dockerfile", "");
      assert.match(await healthCheck(image), /"Test":\["CMD"/);
      const id = await podman("run", "--detach", ...ESC, image);
      try {
        await until(
          "the health check",
          async () => (await attempt("healthcheck", "run", id)).status,
          (found) => found === 0,
        );
        assert.deepEqual(await (await fetch("http://127.0.0.1:3000/")).json(), ANSWER);
        await stops(id, "0");
      } finally {
        await podman("rm", "--force", "--time=0", id);
      }
    },
  ]),
  [
    "build-secret.Dockerfile: the step has its values, and neither history nor layers have a secret",
    async () => {
      const secrets = ["--secret=id=esc_token,env=ESC_TOKEN", "--build-arg=ESC_ENV=acme/sophia/prod"];
      const { status, stderr } = await build(
        ...(["build-secret.Dockerfile", DOCKER_FORMAT, ...secrets, "--network=host"] as const),
        `--env=PULUMI_BACKEND_URL=${esc.url}`,
      );
      assert.equal(status, 0, stderr);
      assert.equal(
        await podman("run", "--rm", "--entrypoint=cat", "build-secret", "dist/collections.json"),
        JSON.stringify({ from: "qdrant.example:6333", authenticated: true }),
      );
      const archive = "/run/build-secret.tar";
      await podman("save", `--output=${archive}`, "build-secret");
      const history = await podman("history", "--no-trunc", "build-secret");
      const layers = readFileSync(archive);
      for (const value of [esc.token, KEY]) assert(!history.includes(value) && !layers.includes(value));
    },
  ],
];

await openPlace("podman", loadBaseImages);
const others = selected([EXECUTABLE, PACKAGE].flatMap(casesOf));
await runCases("podman", [...builds.map(([name, test]): Case => [name, () => fresh(test)]), ...others]);
await esc.close();

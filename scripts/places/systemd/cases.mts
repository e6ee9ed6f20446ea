/** The cases of examples/systemd, for the package and for the executable. systemd is PID 1 of the space they run in. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type EnvironmentHandle, type EscServer, startEscServer } from "../../../test/esc-server/index.ts";
import { builtForms, type Form } from "../installed.ts";
import { type Case, runCases, until } from "../report.ts";

const SERVICE = "sophia-app.service";
const SOCKET = "sophia-app.socket";
const UNITS = "/etc/systemd/system";
const APP = "/opt/sophia-app";
const TOKEN_FILE = "/etc/sophia-app/esc_token";
const NODE = "/usr/local/bin/node";
const LOGIN = "places";
const VALUES = { QDRANT_URL: "https://qdrant.example:6333" };
const BODY = `Qdrant is at ${VALUES.QDRANT_URL}\n`;

function systemctl(...args: readonly string[]): string {
  return execFileSync("systemctl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function property(unit: string, name: string): string {
  return systemctl("show", unit, "--value", "--property", name).trim();
}

/** How often systemd has started the service since a cursor. */
function starts(since: string): number {
  return journal(since).filter((line) => line.startsWith(`Starting ${SERVICE}`)).length;
}

/** The journal's lines since a cursor. With `--unit` journalctl leaves out the first one. */
function journal(since: string): readonly string[] {
  execFileSync("journalctl", ["--sync"]);
  const args = ["--no-pager", "--output=cat", `--after-cursor=${since}`];
  return execFileSync("journalctl", args, { encoding: "utf8" }).split("\n");
}

function cursor(): string {
  execFileSync("journalctl", ["--sync"]);
  const output = execFileSync("journalctl", ["--lines=0", "--show-cursor"], { encoding: "utf8" });
  const [, found] = /^-- cursor: (.+)$/m.exec(output) ?? [];
  assert(found !== undefined, "the journal has no cursor");
  return found;
}

/** The answer to a connection; undefined if it was closed or refused. */
async function answer(): Promise<string | undefined> {
  const response = await fetch("http://127.0.0.1:3000/", {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(20_000),
  }).catch((error: unknown) => {
    if (error instanceof Error && error.name === "TimeoutError") throw error;
    return undefined;
  });
  return response?.text();
}

/** Adds settings to the service, or removes those that were added. */
function configure(settings: string): void {
  writeFileSync(`${UNITS}/${SERVICE}.d/case.conf`, `[Service]\n${settings}\n`);
  systemctl("daemon-reload");
}

/** Stops both units, and lets the socket listen as after a boot. */
function restart(): string {
  systemctl("stop", SOCKET, SERVICE);
  systemctl("reset-failed");
  const since = cursor();
  systemctl("start", SOCKET);
  return since;
}

async function failed(status: string): Promise<void> {
  const state = () => [property(SERVICE, "ActiveState"), property(SERVICE, "ExecMainStatus")].join(" ");
  await until("the service fails", state, (reached) => reached === `failed ${status}`);
}

function install(esc: EscServer): void {
  for (const folder of [APP, "/etc/sophia-app", `${UNITS}/${SERVICE}.d`]) mkdirSync(folder);
  for (const file of ["server.py", "sophia.contract.json"]) copyFileSync(`examples/systemd/${file}`, `${APP}/${file}`);
  for (const unit of [SERVICE, SOCKET]) copyFileSync(`examples/systemd/${unit}`, `${UNITS}/${unit}`);
  writeFileSync(TOKEN_FILE, `${esc.token}\n`, { mode: 0o600 });
  writeFileSync(`${UNITS}/${SERVICE}.d/esc.conf`, `[Service]\nEnvironment=PULUMI_BACKEND_URL=${esc.url}\n`);
}

/** The commands of docs/containers.md after too many starts. */
function remedy(): string {
  const [, commands] =
    /```sh\n(systemctl reset-failed [^`]+)```/.exec(readFileSync("docs/containers.md", "utf8")) ?? [];
  assert(commands !== undefined, "docs/containers.md has no remedy");
  return commands;
}

function casesOf(form: Form, esc: EscServer, environment: EnvironmentHandle): readonly Case[] {
  const cases: readonly Case[] = [
    [
      "the first connection starts the service, whose main process is the program",
      async () => {
        const since = restart();
        assert.equal(property(SERVICE, "MainPID"), "0");
        assert.equal(await answer(), BODY);
        const pid = property(SERVICE, "MainPID");
        assert.match(readlinkSync(`/proc/${pid}/exe`), /\/python3/);
        assert.notEqual(statSync(`/proc/${pid}`).uid, 0);
        assert.equal(property(SERVICE, "ActiveState"), "active");
        assert.equal(starts(since), 1);
        assert.deepEqual(
          journal(since).filter((line) => line.startsWith("sophia-run")),
          [],
        );
      },
    ],
    [
      "no property, environment or journal has the token, and only the service can read its file",
      async () => {
        const since = restart();
        assert.equal(await answer(), BODY);
        const pid = property(SERVICE, "MainPID");
        const seen = [systemctl("show", SERVICE), readFileSync(`/proc/${pid}/environ`, "latin1"), ...journal(since)];
        assert(!seen.join("\n").includes(esc.token));
        const file = `/run/credentials/${SERVICE}/esc_token`;
        assert.equal(readFileSync(file, "utf8").trim(), esc.token);
        assert.equal(statSync(file).mode & 0o777, 0o400);
        assert.equal(statSync(file).uid, statSync(`/proc/${pid}`).uid);
      },
    ],
    [
      "systemctl stop ends the program with its own status",
      async () => {
        restart();
        assert.equal(await answer(), BODY);
        systemctl("stop", SERVICE);
        assert.equal(property(SERVICE, "Result"), "success");
        assert.equal(property(SERVICE, "ExecMainStatus"), "0");
      },
    ],
    [
      "a program that was killed is restarted with the current values and the current token",
      async () => {
        restart();
        assert.equal(await answer(), BODY);
        environment.revise({ values: { QDRANT_URL: "https://second.example:6333" } });
        const { value: token } = esc.addToken({ owner: { kind: "personal", login: LOGIN } });
        writeFileSync(TOKEN_FILE, `${token}\n`);
        systemctl("kill", "--signal=KILL", SERVICE);
        await until(
          "the restart",
          () => property(SERVICE, "NRestarts"),
          (count) => count === "1",
        );
        assert.equal(await answer(), "Qdrant is at https://second.example:6333\n");
      },
    ],
    ...(
      [
        ["78", "an unmet contract", ""],
        ["127", "a command that does not exist", "ExecStart=\nExecStart=/usr/local/bin/sophia-run -- /places/nothing"],
        ["126", "a command that is a folder", "ExecStart=\nExecStart=/usr/local/bin/sophia-run -- /opt"],
      ] as const
    ).map(([status, what, settings]): Case => [
      `${what} (${status}) is one start for each connection, and the next one after its cause is gone is served`,
      async () => {
        if (settings === "") environment.revise({ values: {} });
        else configure(settings);
        const since = restart();
        assert.equal(await answer(), undefined);
        await failed(status);
        assert.equal(starts(since), 1);
        assert.equal(property(SOCKET, "SubState"), "listening");
        assert.match(journal(since).join("\n"), status === "78" ? /✗ QDRANT_URL/ : /sophia-run: /);
        environment.revise({ values: VALUES });
        configure("");
        assert.equal(await answer(), BODY);
      },
    ]),
    [
      "after too many starts the socket fails, and the commands of docs/containers.md bring it back",
      async () => {
        environment.revise({ values: {} });
        const since = restart();
        const limit = Number(property(SERVICE, "StartLimitBurst"));
        for (let at = 0; at <= limit; at += 1) {
          assert.equal(await answer(), undefined);
          await until(
            "an end",
            () => property(SERVICE, "ActiveState"),
            (state) => state === "failed",
          );
        }
        await until(
          "the limit",
          () => property(SOCKET, "Result"),
          (result) => result === "service-start-limit-hit",
        );
        assert.equal(starts(since), limit);
        environment.revise({ values: VALUES });
        assert.equal(await answer(), undefined);
        execFileSync("sh", ["-euc", remedy()]);
        assert.equal(await answer(), BODY);
      },
    ],
    [
      "while ESC is unavailable (125) systemd tries again every RestartSec, and a connection then gets its answer",
      async () => {
        esc.failAlways("any", 503);
        restart();
        assert.equal(await answer(), undefined);
        await until(
          "a restart",
          () => property(SERVICE, "NRestarts"),
          (count) => Number(count) >= 1,
        );
        esc.heal();
        assert.equal(await until("ESC's return", answer, (body) => body !== undefined), BODY);
        assert.equal(property(SOCKET, "Result"), "success");
      },
    ],
  ];
  return cases.map(([name, run]): Case => [
    `${form.name}: ${name}`,
    async () => {
      form.install();
      configure("");
      writeFileSync(TOKEN_FILE, `${esc.token}\n`);
      environment.revise({ values: VALUES });
      await run();
      assert.deepEqual(esc.violations, []);
    },
  ]);
}

const esc = await startEscServer({ user: { login: LOGIN } });
const environment = esc.environment("acme/sophia/prod", { values: VALUES });
install(esc);
// `ProtectHome=` hides a Node.js in a home.
if (process.execPath !== NODE) {
  rmSync(NODE, { force: true });
  copyFileSync(process.execPath, NODE);
}
await runCases(
  "systemd",
  builtForms().flatMap((form) => casesOf(form, esc, environment)),
);
await esc.close();

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type EscServer, startEscServer } from "../esc-server/index.ts";
import { findIsolation, startContainer } from "../helpers/container.ts";
import { ESC_VALUES } from "../helpers/esc-values.ts";
import { readImage } from "../helpers/image.ts";
import { cleanPath } from "../helpers/pack.ts";
import { CONTRACT_VALUES, folder, sophia, sophiaRun } from "../helpers/sophia.ts";
import { type Started, start } from "../helpers/started.ts";
import { pythonWithPackages } from "./environment.ts";

const root = join(import.meta.dirname, "../..");
const { QDRANT_URL, ...secrets } = CONTRACT_VALUES;
const python = pythonWithPackages();
const bin = "bin" in python ? python.bin : "";
const wheels = join(root, "dist-wheels");
const platform = { x64: "x86_64", arm64: "aarch64" }[process.arch as string] ?? process.arch;
const wheel = existsSync(wheels)
  ? readdirSync(wheels).find((name) => name.includes("-manylinux_") && name.endsWith(`_${platform}.whl`))
  : undefined;

let esc: EscServer;
let access: Readonly<Record<string, string>>;
/** A folder with the command `sophia-run`, as the tests run it elsewhere. */
let command: string;

beforeEach(({ skip }) => skip("reason" in python, "reason" in python ? python.reason : ""));

beforeAll(async () => {
  esc = await startEscServer();
  esc.environment("acme/sophia/dev", { values: ESC_VALUES });
  access = { PULUMI_BACKEND_URL: esc.url, ESC_ENV: "acme/sophia/dev", ESC_TOKEN: esc.token };
  command = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  const words = sophiaRun.map((word) => `'${word}'`).join(" ");
  writeFileSync(join(command, "sophia-run"), `#!/bin/sh\nexec ${words} "$@"\n`);
  chmodSync(join(command, "sophia-run"), 0o755);
}, 300_000);

afterAll(async () => {
  await esc.close();
  rmSync(command, { recursive: true, force: true });
});

/** A copy of examples/python, in which Python may leave compiled files. */
function example(): string {
  const cwd = folder();
  cpSync(join(root, "examples/python"), cwd, { recursive: true });
  return cwd;
}

function environment(home: string): Record<string, string> {
  return { PATH: `${command}:${bin}:${cleanPath}`, HOME: home, PYTHONUNBUFFERED: "1", ...access };
}

/** Sends a request without its body yet, asks the server to end, and sends the body. */
async function endDuringRequest(server: Started, pid: number, port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let answer = "";
  const ended = new Promise<void>((resolve, reject) => socket.once("close", () => resolve()).once("error", reject));
  const begun = new Promise<void>((resolve) => {
    socket.on("data", (text: string) => {
      answer += text;
      // The program itself waits for the body now.
      if (answer.includes("100 Continue")) resolve();
    });
  });
  socket.write(
    "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
  );
  await begun;
  process.kill(pid, "SIGTERM");
  await server.seen(/Handling signal: term|Shutting down\n/);
  socket.write("abcdef");
  await ended;
  return answer;
}

describe("examples/python", () => {
  test.each([
    { name: "uvicorn", args: ["uvicorn", "--port", "0", "main:app"], end: { status: null, signal: "SIGTERM" } },
    {
      name: "gunicorn",
      args: ["gunicorn", "--worker-class", "asgi", "--bind", "127.0.0.1:0", "--no-control-socket", "main:app"],
      end: { status: 0, signal: null },
    },
  ])("$name serves with the configuration, and on SIGTERM answers what it has begun", async ({ args, end }) => {
    const cwd = example();
    // What is waited for are lines of the standard error.
    const server = start(["sh", "-c", 'exec sophia-run -- "$@" 2>&1', "sh", ...args], { cwd, env: environment(cwd) });
    const [, port = ""] = await server.seen(/(?:running on|Listening at:) http:\/\/127\.0\.0\.1:(\d+)/);
    const answer: unknown = await (
      await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })
    ).json();
    expect(answer).toEqual({ qdrant: QDRANT_URL });
    expect(await endDuringRequest(server, server.pid, Number(port))).toMatch(/200 OK[^]*\{"bytes":6\}$/);
    const finished = await server.finished;
    expect(finished).toMatchObject(end);
    expect(finished.stdout).toContain("stopped\n");
    for (const value of Object.values(secrets)) expect(finished.stdout).not.toContain(value);
  });

  test("pytest, with the values of ESC and with dummy ones", async () => {
    const cwd = example();
    for (const options of [[], ["--fake"]]) {
      const words = ["sophia-run", ...options, "--", "pytest", "-q", "-p", "no:cacheprovider"] as const;
      const { status, stdout } = await start(words, { cwd, env: environment(cwd) }).finished;
      expect(stdout).toContain("3 passed");
      expect(status).toBe(0);
    }
  });

  test("the loader reads the environment alone, and the smoke check is that of sophia-run", async () => {
    const cwd = example();
    // Not by spawnSync, which would keep the ESC server from answering.
    const run = (file: string, args: readonly string[], env: Readonly<Record<string, string>>) =>
      start([file, ...args], { cwd, env }).finished;
    const env = environment(cwd);
    const loaded = await run("sophia-run", ["--", "python3", "-m", "services.config_loader"], env);
    expect(loaded).toMatchObject({
      status: 0,
      stdout: "AppConfig(qdrant=QdrantConfig(), summaries=True)\n",
    });
    const bare = await run("python3", ["-m", "services.config_loader"], env);
    expect(bare.stderr).toContain("not set: QDRANT_URL, QDRANT_API_KEY");
    const check = await run("python3", ["tools/smoke_env_check.py"], env);
    expect(check.status).toBe(0);
    expect(check.stdout).toMatch(
      /^=== Configuration check: sophia-service ===\n[^]*✅ All checks passed! Configuration loaded/,
    );
    const unmet = await run("python3", ["tools/smoke_env_check.py", "--json"], { PATH: env["PATH"] ?? "" });
    expect([unmet.status, unmet.stdout.includes('"met": false')]).toEqual([1, true]);
    const none = await run(join(bin, "python3"), ["tools/smoke_env_check.py"], { PATH: "/nowhere" });
    expect(none).toMatchObject({ status: 127, stderr: "sophia-run is not installed: see the README\n" });
  });

  test("the image's command serves as PID 1, and ends on SIGTERM", async ({ skip }) => {
    const isolation = findIsolation();
    if (!("prefix" in isolation)) return skip(isolation.reason);
    const cwd = example();
    const { entrypoint, cmd } = readImage(readFileSync(join(cwd, "Dockerfile"), "utf8"));
    const words = [...entrypoint, ...cmd].map((word) => (word === "8000" ? "0" : word));
    const container = startContainer(isolation.prefix, ["sh", "-c", 'exec "$@" 2>&1', "sh", ...words], {
      cwd,
      env: environment(cwd),
    });
    const [, port = ""] = await container.seen(/running on http:\/\/0\.0\.0\.0:(\d+)/);
    expect(await endDuringRequest(container, container.init(), Number(port))).toContain('{"bytes":6}');
    expect((await container.finished).stdout).toContain("stopped\n");
  });

  test("the dataclass is sound to a strict type checker, and errors of pydantic hold no value", async () => {
    const cwd = folder({ "sophia.contract.json": readFileSync(join(root, "sophia.contract.json")) });
    await sophia(["docs", "--types", "python", "plain.py"], { cwd });
    await sophia(["docs", "--types", "pydantic", "settings.py"], { cwd });
    const checked = spawnSync(join(bin, "mypy"), ["--strict", "--cache-dir", cwd, "plain.py"], {
      cwd,
      encoding: "utf8",
    });
    expect(checked.stdout).toBe("Success: no issues found in 1 source file\n");
    const show = (env: Readonly<Record<string, string>>) =>
      spawnSync(
        join(bin, "python3"),
        [
          "-B",
          "-c",
          "from settings import Settings; s = Settings.from_environment(); print(s, s.qdrant_api_key.get_secret_value())",
        ],
        { cwd, env: { ...env }, encoding: "utf8" },
      );
    const shown = show(CONTRACT_VALUES);
    expect(shown.stdout).toContain(`qdrant_api_key=SecretStr('**********')`);
    expect(shown.stdout.trim().endsWith(CONTRACT_VALUES.QDRANT_API_KEY)).toBe(true);
    const { QDRANT_API_KEY: _, ...rest } = CONTRACT_VALUES;
    const failed = show(rest);
    expect(failed.stderr).toContain("QDRANT_API_KEY\n  Field required");
    for (const value of Object.values(rest)) expect(failed.stderr).not.toContain(value);
  });
});

describe("the wheel", () => {
  beforeEach(({ skip }) =>
    skip(wheel === undefined, "needs what npm run build:standalone and node scripts/wheel.mjs make"),
  );

  test("is sound: every file in its record, the command executable, and for this system", () => {
    const script = `
import base64, csv, hashlib, io, sys, zipfile
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename
from packaging.metadata import Metadata
path = sys.argv[1]
name, version, _, tags = parse_wheel_filename(path.rsplit("/")[-1])
assert tags & set(sys_tags()), tags
with zipfile.ZipFile(path) as archive:
    info = f"sophia_run-{version}.dist-info"
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(archive.read(f"{info}/RECORD").decode()))}
    assert sorted(rows) == sorted(archive.namelist()), rows
    for file, (digest, size) in rows.items():
        if file == f"{info}/RECORD":
            continue
        content = archive.read(file)
        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == (f"sha256={expected}", len(content)), file
    metadata = Metadata.from_email(archive.read(f"{info}/METADATA"))
    assert (metadata.name, metadata.version) == (name, version)
    wheel = archive.read(f"{info}/WHEEL").decode()
    assert f"Tag: {next(iter(tags))}\\n" in wheel, wheel
    command = archive.getinfo(f"sophia_run-{version}.data/scripts/sophia-run")
    assert command.external_attr >> 16 == 0o100755 and command.date_time[0] == 1980
`;
    const { status, stderr } = spawnSync(join(bin, "python3"), ["-c", script, join(wheels, wheel ?? "")], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("is installed without a network into a fresh environment, in which no Python starts for it", async () => {
    const fresh = folder();
    const home = folder();
    execFileSync("python3", ["-m", "venv", "--without-pip", fresh]);
    const pip = (...args: readonly string[]): string =>
      execFileSync(join(bin, "pip"), ["--python", join(fresh, "bin/python3"), ...args], {
        env: { PATH: cleanPath, HOME: home, PIP_NO_INDEX: "1", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
        encoding: "utf8",
      });
    pip("install", "--quiet", join(wheels, wheel ?? ""));
    const installed = join(fresh, "bin/sophia-run");
    expect(readFileSync(installed).subarray(0, 4).toString("latin1")).toBe("\x7FELF");
    const { version }: { version: unknown } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const run = (...args: readonly string[]) =>
      start([installed, ...args], { cwd: home, env: { PATH: join(fresh, "bin"), HOME: home, ...access } }).finished;
    const shown = (await run("--version")).stdout;
    expect(shown.split(" ")[0]).toBe(version);
    expect(shown).toMatch(/^\S+ \(Python wheel, (?:commit [\da-f]{12}(?:, changed)?|built outside git)\)\n$/);
    const started = await run("--", "python3", "-c", "import os, sys; print(sys.prefix, os.environ['QDRANT_URL'])");
    expect(started).toMatchObject({ status: 0, stdout: `${fresh} ${QDRANT_URL}\n`, stderr: "" });
    pip("uninstall", "--quiet", "--yes", "sophia-run");
    expect(existsSync(installed)).toBe(false);
  });

  test("is what uv run starts", async () => {
    const cwd = folder({
      "pyproject.toml": `[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["sophia-run"]
[tool.uv]
no-index = true
find-links = [${JSON.stringify(wheels)}]
`,
    });
    const args = [
      "run",
      "--offline",
      "--quiet",
      "sophia-run",
      "--",
      "python3",
      "-c",
      "import os; print(os.environ['QDRANT_URL'])",
    ];
    const env = { PATH: cleanPath, HOME: cwd, UV_PYTHON_DOWNLOADS: "never", ...access };
    const { status, stdout } = await start([join(bin, "uv"), ...args], { cwd, env }).finished;
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${QDRANT_URL}\n` });
  });
});

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
import { type StartedProcess, startProcess } from "../helpers/start-process.ts";
import { prepareTestPython } from "./virtual-environment.ts";

const root = join(import.meta.dirname, "../..");
const { QDRANT_URL, ...secrets } = CONTRACT_VALUES;
const python = prepareTestPython();
const bin = "bin" in python ? python.bin : "";
const wheels = join(root, "dist-wheels");
const platform = { x64: "x86_64", arm64: "aarch64" }[process.arch as string] ?? process.arch;
const wheel = existsSync(wheels)
  ? readdirSync(wheels).find((name) => name.includes("-manylinux_") && name.endsWith(`_${platform}.whl`))
  : undefined;

let esc: EscServer;
let access: Readonly<Record<string, string>>;
/** A folder with a command `sophia-run`, which runs the program under test. */
let commandFolder: string;

beforeEach(({ skip }) => skip("reason" in python, "reason" in python ? python.reason : ""));

beforeAll(async () => {
  esc = await startEscServer();
  esc.environment("acme/sophia/dev", { values: ESC_VALUES });
  access = { PULUMI_BACKEND_URL: esc.url, ESC_ENV: "acme/sophia/dev", ESC_TOKEN: esc.token };
  commandFolder = mkdtempSync(join(tmpdir(), "sophia-run-test-"));
  const quotedCommand = sophiaRun.map((word) => `'${word}'`).join(" ");
  writeFileSync(join(commandFolder, "sophia-run"), `#!/bin/sh\nexec ${quotedCommand} "$@"\n`);
  chmodSync(join(commandFolder, "sophia-run"), 0o755);
}, 300_000);

afterAll(async () => {
  await esc.close();
  rmSync(commandFolder, { recursive: true, force: true });
});

/** Copies examples/python into a folder in which Python may leave compiled files. */
function copyExample(): string {
  const cwd = folder();
  cpSync(join(root, "examples/python"), cwd, { recursive: true });
  return cwd;
}

function environmentWith(home: string): Record<string, string> {
  return { PATH: `${commandFolder}:${bin}:${cleanPath}`, HOME: home, PYTHONUNBUFFERED: "1", ...access };
}

/** Sends the head of a request, then SIGTERM to the server, and then the body of the request. @returns the answer */
async function endDuringRequest(server: StartedProcess, pid: number, port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let answer = "";
  const connectionEnd = new Promise<void>((resolve, reject) =>
    socket.once("close", () => resolve()).once("error", reject),
  );
  const requestBegin = new Promise<void>((resolve) => {
    socket.on("data", (text: string) => {
      answer += text;
      // The program has read the head, and waits for the body now.
      if (answer.includes("100 Continue")) resolve();
    });
  });
  socket.write(
    "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
  );
  await requestBegin;
  process.kill(pid, "SIGTERM");
  await server.waitForStdout(/Handling signal: term|Shutting down\n/);
  socket.write("abcdef");
  await connectionEnd;
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
  ])(
    "$name serves with the configuration, and answers a request that has begun before it ends on SIGTERM",
    async ({ args, end }) => {
      const cwd = copyExample();
      // The test waits for lines of the standard error.
      const server = startProcess(["sh", "-c", 'exec sophia-run -- "$@" 2>&1', "sh", ...args], {
        cwd,
        env: environmentWith(cwd),
      });
      const [, port = ""] = await server.waitForStdout(/(?:running on|Listening at:) http:\/\/127\.0\.0\.1:(\d+)/);
      const answer: unknown = await (
        await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })
      ).json();
      expect(answer).toEqual({ qdrant: QDRANT_URL });
      expect(await endDuringRequest(server, server.pid, Number(port))).toMatch(/200 OK[^]*\{"bytes":6\}$/);
      const finished = await server.finished;
      expect(finished).toMatchObject(end);
      expect(finished.stdout).toContain("stopped\n");
      for (const value of Object.values(secrets)) expect(finished.stdout).not.toContain(value);
    },
  );

  test("pytest passes with the values of ESC and with dummy values", async () => {
    const cwd = copyExample();
    for (const options of [[], ["--fake"]]) {
      const testCommand = ["sophia-run", ...options, "--", "pytest", "-q", "-p", "no:cacheprovider"] as const;
      const { status, stdout } = await startProcess(testCommand, { cwd, env: environmentWith(cwd) }).finished;
      expect(stdout).toContain("3 passed");
      expect(status).toBe(0);
    }
  });

  test("the loader reads only the environment, and the smoke check runs sophia-run check", async () => {
    const cwd = copyExample();
    // spawnSync would keep the ESC server in this process from answering.
    const run = (file: string, args: readonly string[], env: Readonly<Record<string, string>>) =>
      startProcess([file, ...args], { cwd, env }).finished;
    const env = environmentWith(cwd);
    const loaded = await run("sophia-run", ["--", "python3", "-m", "services.config_loader"], env);
    expect(loaded).toMatchObject({
      status: 0,
      stdout: "AppConfig(qdrant=QdrantConfig(), summaries=True)\n",
    });
    const resultWithoutValues = await run("python3", ["-m", "services.config_loader"], env);
    expect(resultWithoutValues.stderr).toContain("not set: QDRANT_URL, QDRANT_API_KEY");
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

  test("the command of the image serves as PID 1, and ends on SIGTERM", async ({ skip }) => {
    const isolation = findIsolation();
    if (!("prefix" in isolation)) return skip(isolation.reason);
    const cwd = copyExample();
    const { entrypoint, cmd } = readImage(readFileSync(join(cwd, "Dockerfile"), "utf8"));
    const imageCommand = [...entrypoint, ...cmd].map((word) => (word === "8000" ? "0" : word));
    const container = startContainer(isolation.prefix, ["sh", "-c", 'exec "$@" 2>&1', "sh", ...imageCommand], {
      cwd,
      env: environmentWith(cwd),
    });
    const [, port = ""] = await container.waitForStdout(/running on http:\/\/0\.0\.0\.0:(\d+)/);
    expect(await endDuringRequest(container, container.init(), Number(port))).toContain('{"bytes":6}');
    expect((await container.finished).stdout).toContain("stopped\n");
  });

  test("a strict type checker accepts the dataclass, and errors of pydantic contain no value", async () => {
    const cwd = folder({ "sophia.contract.json": readFileSync(join(root, "sophia.contract.json")) });
    await sophia(["docs", "--types", "python", "plain.py"], { cwd });
    await sophia(["docs", "--types", "pydantic", "settings.py"], { cwd });
    const checked = spawnSync(join(bin, "mypy"), ["--strict", "--cache-dir", cwd, "plain.py"], {
      cwd,
      encoding: "utf8",
    });
    expect(checked.stdout).toBe("Success: no issues found in 1 source file\n");
    const showSettings = (env: Readonly<Record<string, string>>) =>
      spawnSync(
        join(bin, "python3"),
        [
          "-B",
          "-c",
          "from settings import Settings; s = Settings.from_environment(); print(s, s.qdrant_api_key.get_secret_value())",
        ],
        { cwd, env: { ...env }, encoding: "utf8" },
      );
    const result = showSettings(CONTRACT_VALUES);
    expect(result.stdout).toContain(`qdrant_api_key=SecretStr('**********')`);
    expect(result.stdout.trim().endsWith(CONTRACT_VALUES.QDRANT_API_KEY)).toBe(true);
    const { QDRANT_API_KEY: _, ...rest } = CONTRACT_VALUES;
    const failed = showSettings(rest);
    expect(failed.stderr).toContain("QDRANT_API_KEY\n  Field required");
    for (const value of Object.values(rest)) expect(failed.stderr).not.toContain(value);
  });
});

describe("the wheel", () => {
  beforeEach(({ skip }) =>
    skip(wheel === undefined, "needs the wheel that npm run build:standalone and node scripts/wheel.mjs make"),
  );

  test("has every file in its record, an executable command, and tags for this system", () => {
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

  test("is installed without a network into a new environment, and its command is an ELF file, not a Python script", async () => {
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
      startProcess([installed, ...args], { cwd: home, env: { PATH: join(fresh, "bin"), HOME: home, ...access } })
        .finished;
    const versionText = (await run("--version")).stdout;
    expect(versionText.split(" ")[0]).toBe(version);
    expect(versionText).toMatch(/^\S+ \(Python wheel, (?:commit [\da-f]{12}(?:, changed)?|built outside git)\)\n$/);
    const started = await run("--", "python3", "-c", "import os, sys; print(sys.prefix, os.environ['QDRANT_URL'])");
    expect(started).toMatchObject({ status: 0, stdout: `${fresh} ${QDRANT_URL}\n`, stderr: "" });
    pip("uninstall", "--quiet", "--yes", "sophia-run");
    expect(existsSync(installed)).toBe(false);
  });

  test("has the command that uv run starts", async () => {
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
    const { status, stdout } = await startProcess([join(bin, "uv"), ...args], { cwd, env }).finished;
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${QDRANT_URL}\n` });
  });
});

/** `--broker-listen`: the broker at another address than loopback, as seen from another network, and on a socket. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { notInstalled, skipBecause } from "../../../helpers/skip.ts";
import { parseEnvironment, folder, sophia, sophiaRun, unwrapLines } from "../../../helpers/sophia.ts";
import { NETWORK_KEY, noNetworks, startInNetworks } from "../../../helpers/two-networks.ts";
import { REAL_KEY, startService } from "./openai-service.ts";

const noCurl = notInstalled("curl", "--version");

/** Asks from the container, and prints the status and the code of a refusal. */
const ASK = `ask() { $CONTAINER curl --silent --max-time 10 --header "Authorization: Bearer $1" --write-out ' %{http_code}\\n' "$2" | grep -Eo 'served|broker-[a-z]+|[0-9]+$' | tr '\\n' ' '; echo; }`;

describe("the broker, called from another network,", () => {
  skipBecause(noNetworks ?? noCurl);

  test.for([
    ["10.77.0.1", /^http:\/\/10\.77\.0\.1:\d+\/v1$/],
    ["10.77.0.1:8080", /^http:\/\/10\.77\.0\.1:8080\/v1$/],
    ["10.77.0.1:80", /^http:\/\/10\.77\.0\.1\/v1$/],
    ["[fd77::1]:8080", /^http:\/\/\[fd77::1\]:8080\/v1$/],
  ] as const)("answers at %s, by the program's own variables", async ([address, expected]) => {
    const script = `${ASK}\necho "$OPENAI_BASE_URL"\nask "$OPENAI_API_KEY" "$OPENAI_BASE_URL/models"`;
    const { status, stdout, stderr, seen } = await startInNetworks(["--broker-listen", address], script);
    const [base = "", answer] = stdout.split("\n");
    expect({ status, stderr, answer, seen }).toEqual({
      status: 0,
      stderr: "",
      answer: "served 200 ",
      seen: [`GET /v1/models Bearer ${NETWORK_KEY}`],
    });
    expect(base).toMatch(expected);
  });

  test("opens nothing else of the host, and does not answer on loopback", async () => {
    const script = `${ASK}\nask "$OPENAI_API_KEY" "$OPENAI_BASE_URL/models"`;
    const { stdout, seen } = await startInNetworks([], script);
    expect({ stdout, seen }).toEqual({ stdout: "000 \n", seen: [] });
  });

  test("has --broker-name as the host in the variables, and accepts it as Host", async () => {
    const script = `${ASK}
      echo "$OPENAI_BASE_URL $NO_PROXY"
      port=\${OPENAI_BASE_URL##*:}; port=\${port%/v1}
      for host in engine.internal 10.77.0.1 localhost evil.test; do
        $CONTAINER curl --silent --resolve "$host:$port:10.77.0.1" --header "Authorization: Bearer $OPENAI_API_KEY" \\
          "http://$host:$port/v1/models" | grep -Eo 'served|broker-[a-z]+'
      done`;
    const options = ["--broker-listen", "10.77.0.1", "--broker-name", "engine.internal"];
    const { stdout, seen } = await startInNetworks(options, script, { env: { HTTP_PROXY: "http://proxy.test:3128" } });
    const [base, ...answers] = stdout.trimEnd().split("\n");
    expect(base).toMatch(/^http:\/\/engine\.internal:\d+\/v1 engine\.internal$/);
    expect(answers).toEqual(["served", "served", "broker-denied", "broker-denied"]);
    expect(seen).toHaveLength(2);
  });

  test("takes 250 ms to refuse a wrong key, blocks for a minute after 100 within a minute, and prints a line", async () => {
    const client = `
      import { performance } from "node:perf_hooks";
      const [url, key] = process.argv.slice(2);
      const ask = async (credentials) => {
        const begin = performance.now();
        try {
          const answer = await fetch(url, { headers: { authorization: "Bearer " + credentials } });
          const { error } = await answer.json();
          return { status: answer.status, code: error?.code, ms: performance.now() - begin };
        } catch (error) {
          return { code: error.cause?.code };
        }
      };
      const show = ({ status, code }) => console.log(String(status), String(code));
      const first = await ask("wrong");
      show(first);
      console.log(first.ms >= 245);
      // On a busy machine one may take as long.
      const right = [await ask(key), await ask(key), await ask(key), await ask(key), await ask(key)];
      show(right[0]);
      console.log(Math.min(...right.map(({ ms }) => ms)) < 200);
      // A web page can have a browser send these. They are no guesses.
      const bare = await Promise.all(Array.from({ length: 120 }, () => fetch(url).then((answer) => answer.status)));
      show({ status: bare.filter((status) => status === 401).length, code: (await ask(key)).status });
      const others = await Promise.all(Array.from({ length: 99 }, (_, index) => ask("wrong" + index)));
      console.log(others.filter(({ code }) => code === "broker-key").length);
      const last = await ask(key);
      console.log(last.status === 403 || last.code === "UND_ERR_SOCKET" || last.code === "ECONNRESET");
    `;
    const { stdout, stderr, seen, status } = await startInNetworks(
      ["--broker-listen", "10.77.0.1", "--audit-log", "audit.jsonl"],
      `$CONTAINER ${process.execPath} client.mjs "$OPENAI_BASE_URL/models" "$OPENAI_API_KEY"
       grep -c '"outcome":"refused"' audit.jsonl
       curl --silent --header "Authorization: Bearer $OPENAI_API_KEY" "$OPENAI_BASE_URL/models"`,
      { files: { "client.mjs": client } },
    );
    const [wrong, isSlow, right, isQuick, bare, refused, isRefused, recorded, host] = stdout.split("\n");
    expect({ status, wrong, isSlow, right, isQuick, bare, refused, isRefused, host }).toEqual({
      status: 0,
      wrong: "401 broker-key",
      isSlow: "true",
      right: "200 undefined",
      isQuick: "true",
      bare: "120 200",
      refused: "99",
      isRefused: "true",
      // The host itself is another address.
      host: expect.stringContaining("served"),
    });
    expect(Number(recorded)).toBeGreaterThanOrEqual(100);
    expect(seen).toHaveLength(7);
    expect(unwrapLines(stderr).match(/10\.77\.0\.2 sent 100 wrong keys/g)).toHaveLength(1);
  });

  test("refuses an address that this machine does not have, and a port that is in use", async () => {
    const elsewhere = await startInNetworks(["--broker-listen", "10.9.9.9"], "echo started");
    expect(elsewhere).toMatchObject({ status: 125, stdout: "" });
    expect(elsewhere.stderr).toMatchInlineSnapshot(`
      "sophia-run: --broker-listen: 10.9.9.9 is not an address of this machine
        (EADDRNOTAVAIL)
        name one of its addresses; ip address shows them
      "
    `);
    const inner = [...sophiaRun, "--broker", "--broker-listen", "10.77.0.1:8080", "--", "echo", "started"];
    // As if the key were the user's own.
    const own = "env --unset=SOPHIA_BROKERED OPENAI_BASE_URL=http://127.0.0.1:1";
    const taken = await startInNetworks(["--broker-listen", "10.77.0.1:8080"], `${own} ${inner.join(" ")}`);
    expect(taken).toMatchObject({ status: 125, stdout: "" });
    expect(taken.stderr).toMatchInlineSnapshot(`
      "sophia-run: --broker-listen: another program listens on 10.77.0.1:8080
        (EADDRINUSE)
        name another port, or none to use a free one: --broker-listen 10.77.0.1
      sophia-run: no request came for OPENAI_API_KEY: the program must read
        OPENAI_BASE_URL
      "
    `);
  });
});

const CONTRACT = { "sophia.contract.json": '{"variables":{"OPENAI_API_KEY":{}}}' };

function startIn(
  cwd: string,
  env: Readonly<Record<string, string>>,
  script: string,
): ChildProcessByStdio<null, Readable, null> {
  const [file, ...prefix] = sophiaRun;
  const options = ["--broker", "--broker-listen", "unix:s", "--", "sh", "-c", script];
  const child = spawn(file, [...prefix, ...options], {
    cwd,
    env: { PATH: process.env["PATH"], HOME: cwd, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

const CURL = `curl --silent --max-time 10 --unix-socket "$SOPHIA_BROKER_SOCKET" --header "Authorization: Bearer $OPENAI_API_KEY"`;

describe("the broker on a socket", () => {
  skipBecause(noCurl);

  test("gives the program the path, no address, and the dummies", async () => {
    const { env, requests, origin } = await startService();
    const cwd = folder({ "sophia.contract.json": '{"variables":{"OPENAI_API_KEY":{},"GITHUB_PAT":{}}}' });
    const script = `
      stat -c %a "$SOPHIA_BROKER_SOCKET"
      for host in localhost ${new URL(origin).host} evil.test; do
        ${CURL} --header "Host: $host" http://localhost/v1/models | grep -Eo 'answered|broker-[a-z]+'
      done
      env`;
    const callerEnvironment = { ...env, GITHUB_PAT: "ghp_0123456789abcdefghij", HTTP_PROXY: "http://proxy.test" };
    const { stdout, stderr, status } = await sophia(
      ["--broker", "--broker-listen", "unix:s", "--", "sh", "-c", script],
      { cwd, env: callerEnvironment },
    );
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    expect(stdout.split("\n").slice(0, 4)).toEqual(["600", "answered", "answered", "broker-denied"]);
    const own = parseEnvironment(stdout);
    expect(own["SOPHIA_BROKER_SOCKET"]).toBe(join(cwd, "s"));
    expect(own["OPENAI_BASE_URL"]).toBe(env["OPENAI_BASE_URL"]);
    for (const name of ["OPENAI_API_BASE", "GITHUB_API_URL", "GIT_CONFIG_COUNT", "NO_PROXY"]) {
      expect(own).not.toHaveProperty(name);
    }
    expect(own["OPENAI_API_KEY"]).toContain("sophia-");
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${REAL_KEY}`, `Bearer ${REAL_KEY}`]);
    expect(existsSync(join(cwd, "s"))).toBe(false);
  });

  test.for(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const)("leaves no file after %s", async (signal) => {
    const { env } = await startService();
    const cwd = folder(CONTRACT);
    const child = startIn(cwd, env, "echo started; exec sleep 60");
    await once(child.stdout, "data");
    expect(statSync(join(cwd, "s")).isSocket()).toBe(true);
    child.kill(signal);
    const [, by] = await once(child, "close");
    expect({ by, exists: existsSync(join(cwd, "s")) }).toEqual({ by: signal, exists: false });
  });

  test("leaves no file after a signal that comes just when the socket appears", async () => {
    const { env } = await startService();
    const cwd = folder(CONTRACT);
    for (let round = 0; round < 8; round += 1) {
      const watcher = watch(cwd);
      onTestFinished(() => watcher.close());
      const appears = once(watcher, "change");
      const child = startIn(cwd, env, "exec sleep 60");
      const result = once(child, "close");
      await appears;
      child.kill("SIGTERM");
      expect(await result).toEqual([null, "SIGTERM"]);
      watcher.close();
      expect(existsSync(join(cwd, "s"))).toBe(false);
    }
  });

  test("leaves a file, and the socket of another sophia-run, that has taken its path in the meantime", async () => {
    const { env } = await startService();
    const cwd = folder(CONTRACT);
    const options = ["--broker", "--broker-listen", "unix:s"];
    const replaced = await sophia([...options, "--", "sh", "-c", "rm s; echo precious >s"], { cwd, env });
    expect(replaced.status).toBe(0);
    expect(readFileSync(join(cwd, "s"), "utf8")).toBe("precious\n");
    const another = folder(CONTRACT);
    // A process that is killed leaves its socket.
    const listening = 'require("net").createServer().listen("s", () => process.kill(process.pid, "SIGKILL"))';
    const script = `rm s; "${process.execPath}" -e '${listening}'; true`;
    await sophia([...options, "--", "sh", "-c", script], { cwd: another, env });
    expect(statSync(join(another, "s")).isSocket()).toBe(true);
  });

  test("leaves no file if the program cannot be started", async () => {
    const { env } = await startService();
    const cwd = folder({ ...CONTRACT, "no-program": "" });
    const { status } = await sophia(["--broker", "--broker-listen", "unix:s", "--", "./no-program"], { cwd, env });
    expect({ status, exists: existsSync(join(cwd, "s")) }).toEqual({ status: 126, exists: false });
  });

  test("refuses a path that exists, or is too long, with one clear error, and changes nothing there", async () => {
    const { env } = await startService();
    const cwd = folder({ ...CONTRACT, taken: "precious" });
    const start = (path: string) =>
      sophia(["--broker", "--broker-listen", `unix:${path}`, "--", "echo", "x"], { cwd, env });
    const taken = await start("taken");
    expect(taken).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(taken.stderr)).toContain("taken exists already (EADDRINUSE)");
    expect(readFileSync(join(cwd, "taken"), "utf8")).toBe("precious");
    const long = await start(`/tmp/${"x".repeat(100)}`);
    expect(long).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(long.stderr)).toContain("at most 103 bytes");
    const missing = await start("none/s");
    expect(missing).toMatchObject({ status: 125, stdout: "" });
    expect(unwrapLines(missing.stderr)).toContain("cannot make the socket");
  });
});

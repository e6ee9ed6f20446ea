/** Where the name `localhost` leads to another machine, no token and no key is sent there: http to it is not encrypted. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { skipBecause } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";

/** Gives the loopback device a further address, listens there, runs a command, and prints what came. */
const SCRIPT = `
import fcntl, os, socket, struct, subprocess, sys, threading
SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8914, 0x8916, 1
address, *command = sys.argv[1:]
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address)))
server = socket.create_server((address, 0))
heard = []
def serve():
    while True:
        client, _ = server.accept()
        heard.append(client.recv(65536))
        client.close()
threading.Thread(target=serve, daemon=True).start()
port = str(server.getsockname()[1])
words = [word.replace("PORT", port) for word in command]
settings = {name: value.replace("PORT", port) for name, value in os.environ.items()}
status = subprocess.run(words, env=settings).returncode
print("heard", b"".join(heard).decode("latin1"))
sys.exit(status)
`;

/** No machine has it (RFC 5737). */
const OTHER = "192.0.2.7";
const namespaces = ([[], ["--user", "--map-root-user"]] as const)
  .map(
    (user) =>
      ["unshare", "--net", "--mount", ...user, "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"'] as const,
  )
  .find(([file, ...args]) => spawnSync(file, [...args, "/etc/hosts", "true"]).status === 0);
skipBecause(namespaces === undefined ? "needs network and mount namespaces" : undefined);

const SEARCH = { upstream: "http://localhost:PORT", headers: ["api-key"], base: { SEARCH_URL: "" } };
const REQUEST = `
  const { SEARCH_URL, SEARCH_KEY } = process.env;
  fetch(SEARCH_URL, { headers: { "api-key": SEARCH_KEY } }).then((answer) => answer.text()).then(console.log);
`;

/** Writes a contract: its port is known when the command starts. */
const WRITE = 'printf %s "$1" > contract.json && shift && exec "$@"';

function runWithServer(words: readonly string[], settings: Readonly<Record<string, string>>) {
  const [file, ...prefix] = namespaces ?? ["false"];
  return spawnSync(file, [...prefix, "hosts", "python3", "-c", SCRIPT, OTHER, ...words], {
    cwd: folder({ hosts: `${OTHER} localhost\n` }),
    env: { PATH: process.env["PATH"], ...settings },
    encoding: "utf8",
    timeout: 60_000,
  });
}

it("a start sends no token to ESC if localhost leads to another machine", () => {
  const { stdout, stderr, status } = runWithServer([...sophiaRun, "--no-contract", "--", "echo", "started"], {
    PULUMI_BACKEND_URL: "http://localhost:PORT",
    ESC_ENV: "acme/app/dev",
    ESC_TOKEN: "pul-1234567890",
  });
  expect(stdout).toBe("started\nheard \n");
  expect(stderr.replaceAll(/\s+/g, " ")).toContain("leads to another machine");
  expect(status).toBe(0);
});

it("a start sends no key through the broker if localhost leads to another machine", () => {
  const contract = JSON.stringify({ variables: { SEARCH_KEY: { broker: SEARCH } } });
  const broker = ["--contract", "contract.json", "--broker", "--broker-to", "http://localhost:PORT", "--"];
  const program = [...sophiaRun, ...broker, process.execPath, "-e", REQUEST];
  const { stdout, status } = runWithServer(["sh", "-c", WRITE, "sh", contract, ...program], {
    SEARCH_KEY: "sk-1234567890",
  });
  expect(stdout).toMatch(/^.*localhost:\d+ cannot be reached \(the name leads to another machine\).*\nheard \n$/);
  expect(status).toBe(0);
});

it("check --live sends no password of a database if localhost leads to another machine", () => {
  const contract = JSON.stringify({ variables: { KEY: { probe: "postgresql" } } });
  const check = [...sophiaRun, "check", "--contract", "contract.json", "--live", "--yes"];
  const { stdout } = runWithServer(["sh", "-c", WRITE, "sh", contract, ...check], {
    KEY: "postgresql://app:secret-1234567890@localhost:PORT/app?sslmode=disable",
  });
  expect(stdout.replaceAll(/\s+/g, " ")).toContain("the name leads to another machine");
  expect(stdout).toMatch(/\nheard \n$/);
});

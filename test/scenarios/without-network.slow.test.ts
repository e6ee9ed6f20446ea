import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { skipBecause } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";

/** Runs a command in a network of its own, whose only device is up unless it shall be "down"; with a DNS server for "failing". */
const SCRIPT = `
import fcntl, socket, struct, subprocess, sys, threading
SIOCSIFFLAGS, IFF_UP, SERVFAIL = 0x8914, 1, b"\\x81\\x82"
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def serve():
    while True:
        query, client = server.recvfrom(512)
        server.sendto(query[:2] + SERVFAIL + query[4:], client)
state, *command = sys.argv[1:]
if state != "down":
    fcntl.ioctl(server, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
if state == "failing":
    server.bind(("127.0.0.1", 53))
    threading.Thread(target=serve, daemon=True).start()
sys.exit(subprocess.run(command).returncode)
`;

const namespaces = ([[], ["--user", "--map-root-user"]] as const)
  .map(
    (user) =>
      ["unshare", "--net", "--mount", ...user, "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"'] as const,
  )
  .find(([file, ...args]) => spawnSync(file, [...args, "/etc/resolv.conf", "true"]).status === 0);
skipBecause(namespaces === undefined ? "needs network and mount namespaces" : undefined);

/** A launcher that waited for an answer would reach the limit, and report that. */
it.for([
  ["cannot be reached", "down"],
  ["does not exist", "refusing"],
  ["has no connection itself", "failing"],
])("a start continues without ESC if the name server %s", ([, state = ""]) => {
  const cwd = folder({ "resolv.conf": "nameserver 127.0.0.1\n" });
  const [file, ...prefix] = namespaces ?? ["false"];
  const args = [
    ...prefix,
    "resolv.conf",
    "python3",
    "-c",
    SCRIPT,
    state,
    ...sophiaRun,
    "--no-contract",
    "--timeout=4s",
    "--",
    "echo",
    "started",
  ];
  const { PATH } = process.env;
  const settings = { PULUMI_BACKEND_URL: "https://esc.example.test", ESC_ENV: "acme/app/dev", ESC_TOKEN: "pul-1" };
  const { stdout, stderr } = spawnSync(file, args, {
    cwd,
    env: { PATH, ...settings },
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(stdout).toBe("started\n");
  expect(stderr).toContain("could not be resolved (EAI_AGAIN)");
});

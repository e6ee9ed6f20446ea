/** Logs in to a PostgreSQL server and disconnects. https://www.postgresql.org/docs/current/protocol-flow.html */
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as net from "node:net";
import { userInfo } from "node:os";
import { isLoopback, isLoopbackAddress } from "../../../core/url.ts";
import type { NetworkSettings } from "../../../network/network-settings.ts";
import { beginTls } from "../../../network/tls.ts";
import { systemErrorCode } from "../../../system/errors.ts";
import { type Outcome, rejected, unclear, unsent } from "./probe-outcome.ts";
import { parsePostgresUrl, type PostgresTarget } from "./postgres-url.ts";
import { startScram } from "./scram.ts";

const VERIFYING: ReadonlySet<string> = new Set(["verify-ca", "verify-full"]);
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

const MAX_LENGTH = 65_536;

class ProtocolError extends Error {}

interface Link {
  readonly socket: net.Socket;
  /** True within this machine, and over TLS with a trusted certificate. */
  readonly isPrivate: boolean;
}

/** Logs in. The password is sent only over TLS or within this machine, and unhashed only over a private link. */
export async function askPostgres(url: string, network: NetworkSettings, limitMs: number): Promise<Outcome> {
  const target = parsePostgresUrl(url, nameOfUser());
  if (target === undefined) return unsent("it is not the URL of a PostgreSQL database");
  const sockets: net.Socket[] = [];
  let isOver = false;
  const close = (): void => {
    isOver = true;
    // The error ends a read.
    for (const socket of sockets) socket.destroy(new ProtocolError("the connection was closed"));
  };
  const timer = setTimeout(close, limitMs);
  let last = unclear("unreachable", "no host");
  try {
    for (const { host, port } of target.hosts) {
      try {
        const link = await connect(host, port, target, network, (socket) => void sockets.push(socket));
        return "socket" in link ? await logIn(link, target) : link;
      } catch (error) {
        if (isOver) return unclear("unreachable", "timed out");
        if (error instanceof ProtocolError) return unclear("trouble", error.message);
        last = unclear("unreachable", systemErrorCode(error) ?? "UNKNOWN");
      }
    }
    return isOver ? unclear("unreachable", "timed out") : last;
  } finally {
    clearTimeout(timer);
    close();
  }
}

/** @throws the system's errors @throws ProtocolError */
async function connect(
  host: string,
  port: number,
  { sslMode }: PostgresTarget,
  network: NetworkSettings,
  opened: (socket: net.Socket) => void,
): Promise<Link | Outcome> {
  const isSocket = host.startsWith("/");
  const isHere = isSocket || isLoopback(net.isIPv6(host) ? `[${host}]` : host);
  if (!isHere && sslMode === "disable") return unsent("sslmode=disable would send it unencrypted to another machine");
  const plain = net.connect(isSocket ? { path: `${host}/.s.PGSQL.${port}` } : { host, port, noDelay: true });
  opened(plain);
  plain.on("error", () => {});
  await once(plain, "connect");
  const { remoteAddress } = plain;
  if (isHere && remoteAddress !== undefined && !isLoopbackAddress(remoteAddress)) {
    return unsent("the name leads to another machine");
  }
  if (isSocket || (isHere && (sslMode === "disable" || sslMode === "allow"))) return { socket: plain, isPrivate: true };
  plain.write(SSL_REQUEST);
  const answer = (await take(plain, 1)).toString("latin1");
  // Further bytes could come from an attacker (CVE-2021-23222).
  if (plain.readableLength > 0 || (answer !== "S" && answer !== "N")) {
    throw new ProtocolError("the answer is not PostgreSQL's protocol");
  }
  if (answer === "N") {
    if (isHere && (sslMode === "prefer" || sslMode === "allow")) return { socket: plain, isPrivate: true };
    return unsent("the server offers no TLS");
  }
  const secure = await beginTls(Promise.resolve(plain), host, network, { rejectUnauthorized: false });
  opened(secure);
  secure.on("error", () => {});
  await once(secure, "secureConnect");
  if (!secure.authorized && VERIFYING.has(sslMode)) return unsent("the server's certificate is not trusted");
  return { socket: secure, isPrivate: isHere || secure.authorized };
}

async function logIn({ socket, isPrivate }: Link, { user, password, database }: PostgresTarget): Promise<Outcome> {
  const send = (type: string, content: Buffer): void => {
    socket.write(Buffer.concat([Buffer.from(type), uint32(content.length + 4), content]));
  };
  const start = Buffer.concat([
    Buffer.from([0, 3, 0, 0]),
    ...["user", user, "database", database, "application_name", "sophia-run", ""].map(zeroEnded),
  ]);
  socket.write(Buffer.concat([uint32(start.length + 4), start]));
  const scram = startScram(password);
  let isProven: ((last: string) => boolean) | undefined;
  /** SCRAM has begun, and the server has not proved that it knows the password. */
  let isUnproven = false;
  for (;;) {
    const { type, body } = await receive(socket);
    if (type === "E") return refusal(body);
    if (type === "Z") {
      send("X", Buffer.alloc(0));
      await new Promise<void>((resolve) => socket.end(resolve));
      return { outcome: "accepted" };
    }
    if (type !== "R") continue;
    const kind = body.length < 4 ? -1 : body.readUInt32BE(0);
    const rest = body.subarray(4);
    switch (kind) {
      case 0:
        if (isUnproven) return unclear("unexpected", "the server does not prove that it knows the password");
        break;
      case 3:
      case 5: {
        if (!isPrivate) return unsent("the server requests the password, but its certificate is not trusted");
        if (password === "") return unsent("it has no password, but the server requests one");
        send("p", zeroEnded(kind === 3 ? password : md5Answer(user, password, rest.subarray(0, 4))));
        break;
      }
      case 10: {
        if (!rest.toString().split("\0").includes("SCRAM-SHA-256"))
          return unclear("unexpected", "unsupported authentication method");
        if (password === "") return unsent("it has no password, but the server requests one");
        isUnproven = true;
        const first = Buffer.from(scram.message);
        send("p", Buffer.concat([zeroEnded("SCRAM-SHA-256"), uint32(first.length), first]));
        break;
      }
      case 11: {
        const step = isProven === undefined ? await scram.next(rest.toString()) : undefined;
        if (step === undefined) throw new ProtocolError("the login violates SCRAM");
        isProven = step.isServerProven;
        send("p", Buffer.from(step.message));
        break;
      }
      case 12:
        isUnproven = isProven?.(rest.toString()) !== true;
        if (!isUnproven) break;
        return unclear("unexpected", "the server does not prove that it knows the password");
      default:
        return unclear("unexpected", "unsupported authentication method");
    }
  }
}

async function receive(socket: net.Socket): Promise<{ readonly type: string; readonly body: Buffer }> {
  const head = await take(socket, 5);
  const length = head.readUInt32BE(1);
  if (length < 4 || length > MAX_LENGTH) throw new ProtocolError("the answer is not PostgreSQL's protocol");
  return { type: head.toString("latin1", 0, 1), body: await take(socket, length - 4) };
}

/** Reads exactly `size` bytes. @throws the system's errors @throws ProtocolError */
async function take(socket: net.Socket, size: number): Promise<Buffer> {
  if (size === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes: unknown = socket.read(size);
    if (Buffer.isBuffer(bytes) && bytes.length === size) return bytes;
    // At the end, fewer bytes are returned.
    if (bytes !== null || socket.readableEnded || socket.destroyed)
      throw new ProtocolError("the connection was closed");
    await once(socket, "readable");
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function zeroEnded(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

function md5Answer(user: string, password: string, salt: Buffer): string {
  const inner = createHash("md5").update(password).update(user).digest("hex");
  return `md5${createHash("md5").update(inner).update(salt).digest("hex")}`;
}

/** Uses the code alone, since the message may quote values. https://www.postgresql.org/docs/current/errcodes-appendix.html */
function refusal(body: Buffer): Outcome {
  const code = /(?:^|\0)C([0-9A-Z]{5})\0/.exec(body.toString("latin1"))?.[1] ?? "unknown";
  switch (code) {
    case "28P01":
    case "3D000":
      return rejected(code);
    case "28000":
    case "42501":
      return unclear("permission", code);
    case "53300":
      return unclear("quota", code);
    default:
      return unclear(/^(?:53|57|58|XX)/.test(code) ? "trouble" : "unexpected", code);
  }
}

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return "postgres";
  }
}

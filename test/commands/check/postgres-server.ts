/**
 * A server that implements the sign-in of the PostgreSQL protocol, for tests of `check --live`. It can misbehave, and
 * records clients that break the protocol. The caller of `startPostgres` closes it.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import * as net from "node:net";
import * as tls from "node:tls";

export interface PostgresOptions {
  readonly auth: "scram" | "md5" | "cleartext" | "trust";
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Says this in place of signing in. */
  readonly refusal?: string;
  /**
   * Takes the connection and stays silent; says what is not of the protocol; proves something else at the end of SCRAM, or nothing.
   */
  readonly fault?: "silent" | "babble" | "impostor" | "unproven" | "closes";
}

export interface PostgresServer {
  readonly port: number;
  /** How many there have been. */
  readonly connections: number;
  /** Passwords that came as they are. */
  readonly passwords: readonly string[];
  /** Where clients broke the protocol. */
  readonly violations: readonly string[];
  /** Waits until all that began has ended. */
  idle(): Promise<unknown>;
  /** Sessions that were ended as the protocol has it. */
  readonly goodbyes: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A server on loopback that speaks as much of PostgreSQL's protocol as a sign-in takes, and notes what is wrong. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const passwords: string[] = [];
  const violations: string[] = [];
  const conversations: Promise<void>[] = [];
  let goodbyes = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    conversations.push(converse(socket).catch(() => void socket.destroy()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  async function converse(plain: net.Socket): Promise<void> {
    if (options.fault === "silent") return;
    if (options.fault === "babble") return void plain.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    let read = createReader(plain);
    let first = await readUntypedMessage(read);
    let socket = plain;
    if (first.readUInt32BE(0) === 80_877_103) {
      plain.write(options.tls === undefined ? "N" : "S");
      if (options.tls !== undefined) {
        socket = new tls.TLSSocket(plain, { isServer: true, ...options.tls });
        socket.on("error", () => {});
      }
      read = createReader(socket);
      first = await readUntypedMessage(read);
    }
    if (options.fault === "closes") return void socket.destroy();
    const words = first.toString("latin1", 4).split("\0");
    if (first.readUInt32BE(0) !== 196_608 || words.at(-1) !== "" || words.at(-2) !== "") violations.push("start");
    const named = new Map<string, string>();
    for (let index = 0; index + 1 < words.length; index += 2) named.set(words[index] ?? "", words[index + 1] ?? "");
    const refuse = (code: string): void => {
      socket.end(encodeMessage("E", Buffer.from(`SFATAL\0C${code}\0Mno: ${options.password}\0\0`)));
    };
    if (options.refusal !== undefined) return refuse(options.refusal);
    if (!(await isSignedIn(named.get("user") ?? "", socket, read))) return refuse("28P01");
    if (named.get("database") !== options.database) return refuse("3D000");
    socket.write(
      Buffer.concat([
        encodeMessage("R", encodeInt(0)),
        encodeMessage("S", Buffer.from("server_version\x0017.0\0")),
        encodeMessage("K", Buffer.alloc(8)),
        encodeMessage("Z", Buffer.from("I")),
      ]),
    );
    const last = await readTypedMessage(read);
    if (last.type === "X") goodbyes += 1;
    else violations.push(`after the sign-in: ${last.type}`);
  }

  async function isSignedIn(user: string, socket: net.Socket, read: Read): Promise<boolean> {
    const { password } = options;
    if (options.auth === "trust") return true;
    if (options.auth === "cleartext" || options.auth === "md5") {
      const salt = randomBytes(4);
      socket.write(encodeMessage("R", options.auth === "md5" ? Buffer.concat([encodeInt(5), salt]) : encodeInt(3)));
      const { body } = await readTypedMessage(read);
      const given = body.toString("utf8", 0, body.length - 1);
      if (options.auth === "cleartext") {
        passwords.push(given);
        return given === password && user === options.user;
      }
      const hex = (...parts: (string | Buffer)[]): string => {
        const hash = createHash("md5");
        for (const part of parts) hash.update(part);
        return hash.digest("hex");
      };
      return given === `md5${hex(hex(password, user), salt)}` && user === options.user;
    }
    socket.write(
      encodeMessage("R", Buffer.concat([encodeInt(10), Buffer.from("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")])),
    );
    const initial = await readTypedMessage(read);
    const end = initial.body.indexOf(0);
    if (initial.body.toString("latin1", 0, end) !== "SCRAM-SHA-256") violations.push("mechanism");
    const clientFirst = initial.body.toString("utf8", end + 5);
    if (initial.body.readUInt32BE(end + 1) !== Buffer.byteLength(clientFirst)) violations.push("length");
    const bare = /^n,,(n=[^,]*,r=([!-+\--~]+))$/.exec(clientFirst);
    if (bare === null) violations.push("client-first-message");
    const nonce = `${bare?.[2] ?? ""}${randomBytes(12).toString("base64")}`;
    const salt = randomBytes(16);
    const serverFirst = `r=${nonce},s=${salt.toString("base64")},i=4096`;
    socket.write(encodeMessage("R", Buffer.concat([encodeInt(11), Buffer.from(serverFirst)])));
    const clientFinal = (await readTypedMessage(read)).body.toString();
    const [, withoutProof = "", proof = ""] = /^(c=biws,r=[^,]+),p=(.+)$/.exec(clientFinal) ?? [];
    if (withoutProof !== `c=biws,r=${nonce}`) violations.push("client-final-message");
    const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
    const salted = pbkdf2Sync(password, salt, 4096, 32, "sha256");
    const stored = createHash("sha256").update(hmac(salted, "Client Key")).digest();
    const signed = `${bare?.[1] ?? ""},${serverFirst},${withoutProof}`;
    const signature = hmac(stored, signed);
    const key = Buffer.from(Buffer.from(proof, "base64").map((byte, index) => byte ^ (signature[index] ?? 0)));
    if (!createHash("sha256").update(key).digest().equals(stored) || user !== options.user) return false;
    if (options.fault === "unproven") return true;
    const verifier = options.fault === "impostor" ? randomBytes(32) : hmac(hmac(salted, "Server Key"), signed);
    socket.write(encodeMessage("R", Buffer.concat([encodeInt(12), Buffer.from(`v=${verifier.toString("base64")}`)])));
    return true;
  }

  return {
    port: address.port,
    passwords,
    violations,
    idle: () => Promise.all(conversations),
    get connections() {
      return conversations.length;
    },
    get goodbyes() {
      return goodbyes;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

type Read = (count: number) => Promise<Buffer>;

function createReader(socket: net.Socket): Read {
  return async (count) => {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const chunk: unknown = socket.read(count);
      if (Buffer.isBuffer(chunk) && chunk.length === count) return chunk;
      if (socket.readableEnded || socket.destroyed) throw new Error("closed");
      const done = new AbortController();
      const events = ["readable", "end", "close"].map((event) => once(socket, event, { signal: done.signal }));
      await Promise.race(events).finally(() => done.abort());
    }
  };
}

async function readUntypedMessage(read: Read): Promise<Buffer> {
  return read((await read(4)).readUInt32BE(0) - 4);
}

async function readTypedMessage(read: Read): Promise<{ type: string; body: Buffer }> {
  const type = (await read(1)).toString("latin1");
  return { type, body: await readUntypedMessage(read) };
}

function encodeInt(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function encodeMessage(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, "latin1"), encodeInt(body.length + 4), body]);
}

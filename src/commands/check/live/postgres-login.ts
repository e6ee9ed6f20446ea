/**
 * Logs in to a PostgreSQL server for `check --live`, and disconnects. The server chooses the method: no password, the
 * password in plain text, an MD5 hash, or SCRAM-SHA-256, by which the client proves that it knows the password without
 * sending it. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 *
 * A login by SCRAM has these messages, each with its type and, for `R`, the number of its method:
 *
 *     client                           server
 *     startup: user, database     →
 *                                 ←    R 10: the mechanisms that the server offers
 *     p: the first SCRAM message  →
 *                                 ←    R 11: a challenge
 *     p: the client's proof       →
 *                                 ←    R 12: the server's proof, R 0: logged in, Z: ready for a query
 *     X: end of the session       →
 */
import { createHash } from "node:crypto";
import type { PostgresConnection } from "./postgres-connection.ts";
import {
  ProtocolError,
  readMessage,
  sendMessage,
  sendStartup,
  type ServerMessage,
  uint32,
  zeroTerminated,
} from "./postgres-messages.ts";
import type { PostgresTarget } from "./postgres-url.ts";
import { type ProbeResult, rejected, unclear, unsent } from "./probe-result.ts";
import { type ScramLogin, startScram } from "./scram.ts";

/** The methods of authentication and their steps: the number at the start of an authentication message. */
const AUTHENTICATION = { ok: 0, plainText: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;
const SCRAM_MECHANISM = "SCRAM-SHA-256";

const UNSUPPORTED_METHOD = unclear("unexpected", "unsupported authentication method");
const SERVER_UNPROVEN = unclear("unexpected", "the server does not prove that it knows the password");
const PASSWORD_MISSING = unsent("it has no password, but the server requests one");

/**
 * Logs in, and ends the session as soon as the server is ready for a query. A hash or the password itself is sent only over
 * a private connection.
 *
 * @throws ProtocolError, and errors of the system such as ECONNRESET
 */
export async function logIn(connection: PostgresConnection, target: PostgresTarget): Promise<ProbeResult> {
  const { socket } = connection;
  const { user, database } = target;
  sendStartup(socket, ["user", user, "database", database, "application_name", "sophia-run"]);
  const authentication = new Authentication(connection, target);
  for (;;) {
    const { type, body } = await readMessage(socket);
    if (type === "E") return describeLoginError(body);
    if (type === "Z") {
      // The server is ready for a query. `X` ends the session.
      sendMessage(socket, "X", Buffer.alloc(0));
      await new Promise<void>((resolve) => socket.end(resolve));
      return { outcome: "accepted" };
    }
    // The server also reports parameters (S), a key for cancelling (K) and notices (N), which a probe does not need.
    const failure = type === "R" ? await authentication.answer(body) : undefined;
    if (failure !== undefined) return failure;
  }
}

/** Answers the authentication messages of one login. */
class Authentication {
  readonly #connection: PostgresConnection;
  readonly #target: PostgresTarget;
  readonly #scram: ScramLogin;
  /** Checks the server's last message of SCRAM; undefined until the client has sent its own proof. */
  #isServerProof: ((message: string) => boolean) | undefined;
  /** True while SCRAM has begun, and the server has not yet proved that it knows the password. */
  #awaitsServerProof = false;

  constructor(connection: PostgresConnection, target: PostgresTarget) {
    this.#connection = connection;
    this.#target = target;
    this.#scram = startScram(target.password);
  }

  /** Answers one message. @returns the result if the login cannot go on; otherwise undefined @throws ProtocolError */
  answer(body: Buffer): Promise<ProbeResult | undefined> | ProbeResult | undefined {
    const { method, data } = parseAuthentication(body);
    switch (method) {
      case AUTHENTICATION.ok:
        return this.#awaitsServerProof ? SERVER_UNPROVEN : undefined;
      case AUTHENTICATION.plainText:
        return this.#sendPassword(() => this.#target.password);
      case AUTHENTICATION.md5:
        return this.#sendPassword(() => createMd5Answer(this.#target, data.subarray(0, 4)));
      case AUTHENTICATION.sasl:
        return this.#beginScram(data);
      case AUTHENTICATION.saslContinue:
        return this.#continueScram(data);
      case AUTHENTICATION.saslFinal:
        return this.#finishScram(data);
      default:
        return UNSUPPORTED_METHOD;
    }
  }

  /**
   * Sends the password, or a hash of it, which a server without the right certificate must not get.
   *
   * @param createAnswer is called only if the answer is sent, because Node.js may lack MD5 (FIPS)
   */
  #sendPassword(createAnswer: () => string): ProbeResult | undefined {
    if (!this.#connection.isPrivate) {
      return unsent("the server requests the password, but its certificate is not trusted");
    }
    if (this.#target.password === "") return PASSWORD_MISSING;
    this.#send(zeroTerminated(createAnswer()));
    return undefined;
  }

  /** @param data the mechanisms that the server offers, each with a zero byte behind it */
  #beginScram(data: Buffer): ProbeResult | undefined {
    if (!data.toString().split("\0").includes(SCRAM_MECHANISM)) return UNSUPPORTED_METHOD;
    if (this.#target.password === "") return PASSWORD_MISSING;
    this.#awaitsServerProof = true;
    const clientFirst = Buffer.from(this.#scram.clientFirst);
    this.#send(Buffer.concat([zeroTerminated(SCRAM_MECHANISM), uint32(clientFirst.length), clientFirst]));
    return undefined;
  }

  async #continueScram(data: Buffer): Promise<undefined> {
    // A second message of this kind is an error: the server could test one password after another.
    const step = this.#isServerProof === undefined ? await this.#scram.answer(data.toString()) : undefined;
    if (step === undefined) throw new ProtocolError("the login violates SCRAM");
    this.#isServerProof = step.isServerProof;
    this.#send(Buffer.from(step.clientFinal));
  }

  #finishScram(data: Buffer): ProbeResult | undefined {
    if (this.#isServerProof?.(data.toString()) !== true) return SERVER_UNPROVEN;
    this.#awaitsServerProof = false;
    return undefined;
  }

  #send(body: Buffer): void {
    sendMessage(this.#connection.socket, "p", body);
  }
}

/** Parses `00000005 a1b2c3d4`: the method, and its data (for MD5, the salt). A body that is too short has the method -1. */
function parseAuthentication(body: Buffer): { readonly method: number; readonly data: Buffer } {
  const method = body.length < 4 ? -1 : body.readUInt32BE(0);
  return { method, data: body.subarray(4) };
}

/** Returns `md5` and the hex digits of MD5(MD5(password + user) + salt). */
function createMd5Answer({ user, password }: PostgresTarget, salt: Buffer): string {
  const inner = createHash("md5").update(password).update(user).digest("hex");
  return `md5${createHash("md5").update(inner).update(salt).digest("hex")}`;
}

/**
 * Returns the result for an error message such as `SFATAL␀C28P01␀Mpassword authentication failed…␀␀`. Only the code is
 * used, since the message may quote values. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function describeLoginError(body: ServerMessage["body"]): ProbeResult {
  const code = /(?:^|\0)C([0-9A-Z]{5})\0/.exec(body.toString("latin1"))?.[1] ?? "unknown";
  switch (code) {
    // The password is wrong, or the database does not exist.
    case "28P01":
    case "3D000":
      return rejected(code);
    // The server does not let this user in, or the user may not connect to this database.
    case "28000":
    case "42501":
      return unclear("permission", code);
    // The server has too many connections.
    case "53300":
      return unclear("quota", code);
    default: {
      // The classes of exhausted resources, operator intervention, system errors and internal errors.
      const isServerFault = /^(?:53|57|58|XX)/.test(code);
      return unclear(isServerFault ? "trouble" : "unexpected", code);
    }
  }
}

/**
 * Logs in to a PostgreSQL server and disconnects. The server chooses the method: no password, the password in clear text, an
 * MD5 hash, or SCRAM-SHA-256, which proves the password without sending it.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
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
import { startScram } from "./scram.ts";

/** The number at the start of an authentication message. */
const AUTHENTICATION = { ok: 0, clearText: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;
const SCRAM_MECHANISM = "SCRAM-SHA-256";

const UNSUPPORTED_METHOD = unclear("unexpected", "unsupported authentication method");
const SERVER_UNPROVEN = unclear("unexpected", "the server does not prove that it knows the password");
const PASSWORD_MISSING = unsent("it has no password, but the server requests one");

/**
 * Logs in, and ends the session as soon as the server is ready for a query. A hash or the password itself is sent only over a
 * private connection. @throws ProtocolError, and the system's errors
 */
export async function logIn(
  { socket, isPrivate }: PostgresConnection,
  { user, password, database }: PostgresTarget,
): Promise<ProbeResult> {
  sendStartup(socket, ["user", user, "database", database, "application_name", "sophia-run"]);
  const scram = startScram(password);
  let isServerProof: ((message: string) => boolean) | undefined;
  /** SCRAM has begun, and the server has not yet proved that it knows the password. */
  let awaitsProof = false;
  for (;;) {
    const { type, body } = await readMessage(socket);
    if (type === "E") return loginFailure(body);
    if (type === "Z") {
      sendMessage(socket, "X", Buffer.alloc(0));
      await new Promise<void>((resolve) => socket.end(resolve));
      return { outcome: "accepted" };
    }
    // The server also reports parameters (S), a key for cancelling (K) and notices (N), which a probe does not need.
    if (type !== "R") continue;
    const { method, data } = parseAuthentication(body);
    switch (method) {
      case AUTHENTICATION.ok:
        if (awaitsProof) return SERVER_UNPROVEN;
        break;
      case AUTHENTICATION.clearText:
      case AUTHENTICATION.md5: {
        if (!isPrivate) return unsent("the server requests the password, but its certificate is not trusted");
        if (password === "") return PASSWORD_MISSING;
        const answer = method === AUTHENTICATION.md5 ? md5Answer(user, password, data.subarray(0, 4)) : password;
        sendMessage(socket, "p", zeroTerminated(answer));
        break;
      }
      case AUTHENTICATION.sasl: {
        if (!data.toString().split("\0").includes(SCRAM_MECHANISM)) return UNSUPPORTED_METHOD;
        if (password === "") return PASSWORD_MISSING;
        awaitsProof = true;
        const clientFirst = Buffer.from(scram.clientFirst);
        const parts = [zeroTerminated(SCRAM_MECHANISM), uint32(clientFirst.length), clientFirst];
        sendMessage(socket, "p", Buffer.concat(parts));
        break;
      }
      case AUTHENTICATION.saslContinue: {
        // A second message of this kind is an error: the server could try one password after another.
        const step = isServerProof === undefined ? await scram.answer(data.toString()) : undefined;
        if (step === undefined) throw new ProtocolError("the login violates SCRAM");
        ({ isServerProof } = step);
        sendMessage(socket, "p", Buffer.from(step.clientFinal));
        break;
      }
      case AUTHENTICATION.saslFinal:
        if (isServerProof?.(data.toString()) !== true) return SERVER_UNPROVEN;
        awaitsProof = false;
        break;
      default:
        return UNSUPPORTED_METHOD;
    }
  }
}

/** Parses `00000005 a1b2c3d4`: the method, and its data (for MD5, the salt). A body that is too short has the method -1. */
function parseAuthentication(body: Buffer): { readonly method: number; readonly data: Buffer } {
  const method = body.length < 4 ? -1 : body.readUInt32BE(0);
  return { method, data: body.subarray(4) };
}

function md5Answer(user: string, password: string, salt: Buffer): string {
  const inner = createHash("md5").update(password).update(user).digest("hex");
  return `md5${createHash("md5").update(inner).update(salt).digest("hex")}`;
}

/**
 * Parses an error such as `SFATAL␀C28P01␀Mpassword authentication failed…␀␀`. Only the code is used, since the message may quote
 * values. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function loginFailure(body: ServerMessage["body"]): ProbeResult {
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
      const isServerTrouble = /^(?:53|57|58|XX)/.test(code);
      return unclear(isServerTrouble ? "trouble" : "unexpected", code);
    }
  }
}

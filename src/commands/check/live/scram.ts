/**
 * The client's part of SCRAM-SHA-256 (RFC 5802, RFC 7677), by which `check --live` logs in to PostgreSQL. The client proves
 * that it knows the password without sending it, and checks that the server knows it, too. The messages of one login:
 *
 *     client first  n,,n=,r=NONCE
 *     server first  r=NONCE+SERVER_NONCE,s=SALT,i=4096
 *     client final  c=biws,r=NONCE+SERVER_NONCE,p=PROOF
 *     server final  v=SIGNATURE
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const deriveKey = promisify(pbkdf2);
/** The length of a SHA-256 hash. */
const KEY_BYTES = 32;
/** PostgreSQL uses 4096 iterations. The limit keeps a server from occupying this process for minutes. */
const MAX_ITERATIONS = 1_000_000;

export interface ScramLogin {
  /** The first message of the client. */
  readonly clientFirst: string;
  /** Computes the proof from the server's first message; undefined if that message is invalid. */
  readonly answer: (serverFirst: string) => Promise<ScramAnswer | undefined>;
}

interface ScramAnswer {
  /** The last message of the client, with its proof. */
  readonly clientFinal: string;
  /** Returns true if the server's final message proves that the server knows the password. */
  readonly isServerProof: (serverFinal: string) => boolean;
}

/** Begins a login with a new random nonce. */
export function startScram(password: string): ScramLogin {
  const nonce = randomBytes(18).toString("base64");
  // 24 characters of Base64, without padding. The user name is empty, since PostgreSQL knows it from the startup message.
  const clientFirstBare = `n=,r=${nonce}`;
  return {
    clientFirst: `n,,${clientFirstBare}`,
    answer: async (serverFirst) => {
      const challenge = parseChallenge(serverFirst, nonce);
      if (challenge === undefined) return undefined;
      const { salt, iterations, fullNonce } = challenge;
      const saltedPassword = await deriveKey(password.normalize("NFKC"), salt, iterations, KEY_BYTES, "sha256");
      // `biws` is "n,," in Base64: no channel binding.
      const clientFinalWithoutProof = `c=biws,r=${fullNonce}`;
      const authMessage = `${clientFirstBare},${serverFirst},${clientFinalWithoutProof}`;
      const proof = computeClientProof(saltedPassword, authMessage);
      const expectedSignature = hmac(hmac(saltedPassword, "Server Key"), authMessage);
      return {
        clientFinal: `${clientFinalWithoutProof},p=${proof.toString("base64")}`,
        isServerProof: (serverFinal) => {
          const signature = Buffer.from(parseFields(serverFinal).get("v") ?? "", "base64");
          return signature.length === expectedSignature.length && timingSafeEqual(signature, expectedSignature);
        },
      };
    },
  };
}

/** The server's first message. */
interface Challenge {
  /** The client's nonce, continued by the server. */
  readonly fullNonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** Parses the server's first message. Returns undefined if it is invalid, or answers another nonce. */
function parseChallenge(serverFirst: string, nonce: string): Challenge | undefined {
  const fields = parseFields(serverFirst);
  const fullNonce = fields.get("r") ?? "";
  const salt = fields.get("s") ?? "";
  const iterations = Number(fields.get("i"));
  const isContinued = fullNonce.startsWith(nonce) && fullNonce.length > nonce.length;
  const isInLimit = Number.isInteger(iterations) && iterations > 0 && iterations <= MAX_ITERATIONS;
  if (!isContinued || salt === "" || !isInLimit) return undefined;
  return { fullNonce, salt: Buffer.from(salt, "base64"), iterations };
}

/** Computes ClientKey XOR ClientSignature (RFC 5802, section 3). */
function computeClientProof(saltedPassword: Buffer, authMessage: string): Buffer {
  const clientKey = hmac(saltedPassword, "Client Key");
  const storedKey = createHash("sha256").update(clientKey).digest();
  const signature = hmac(storedKey, authMessage);
  return Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
}

/** Parses `r=abc,s=def,i=4096`. */
function parseFields(message: string): ReadonlyMap<string, string> {
  return new Map(message.split(",").map((field) => [field.slice(0, 1), field.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

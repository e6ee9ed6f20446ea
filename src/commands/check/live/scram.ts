/** The client of SCRAM-SHA-256 (RFC 5802, RFC 7677), which proves that it knows the password without sending it. */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);
/** PostgreSQL uses 4096. The limit keeps a server from wasting time. */
const MAX_ITERATIONS = 1_000_000;

export interface ScramStep {
  readonly message: string;
  readonly isServerProven: (last: string) => boolean;
}

/** Returns the first message, and a function that makes the second from the answer; undefined for an invalid answer. */
export function startScram(password: string): {
  readonly message: string;
  readonly next: (answer: string) => Promise<ScramStep | undefined>;
} {
  const nonce = randomBytes(18).toString("base64");
  // PostgreSQL knows the user from the startup message.
  const bare = `n=,r=${nonce}`;
  return {
    message: `n,,${bare}`,
    next: async (answer) => {
      const fields = fieldsOf(answer);
      const [all = "", salt = ""] = [fields.get("r"), fields.get("s")];
      const iterations = Number(fields.get("i"));
      const isRight = all.startsWith(nonce) && all.length > nonce.length && salt !== "";
      if (!isRight || !(Number.isInteger(iterations) && iterations > 0 && iterations <= MAX_ITERATIONS))
        return undefined;
      const salted = await derive(password.normalize("NFKC"), Buffer.from(salt, "base64"), iterations, 32, "sha256");
      const clientKey = hmac(salted, "Client Key");
      const storedKey = createHash("sha256").update(clientKey).digest();
      const withoutProof = `c=biws,r=${all}`;
      const signed = `${bare},${answer},${withoutProof}`;
      const signature = hmac(storedKey, signed);
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
      const expected = hmac(hmac(salted, "Server Key"), signed);
      return {
        message: `${withoutProof},p=${proof.toString("base64")}`,
        isServerProven: (last) => {
          const given = Buffer.from(fieldsOf(last).get("v") ?? "", "base64");
          return given.length === expected.length && timingSafeEqual(given, expected);
        },
      };
    },
  };
}

function fieldsOf(message: string): ReadonlyMap<string, string> {
  return new Map(message.split(",").map((field) => [field.slice(0, 1), field.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/**
 * Finds, in the variables of a start, the federated token for Azure that ESC has set. The token is a JWT, which contains the time
 * at which it expires.
 */
import { parseObject } from "../../../core/json-object.ts";
import { enumerate } from "../../../core/text.ts";
import { AZURE_TOKENS } from "./azure-variables.ts";
import { type AzureCredentials, type EscSession, findEscValue, type ReadStart } from "./cloud-credentials.ts";

/** The latest time of a `Date`, in seconds since 1970 (ECMA-262, 21.4.1.1). */
const MAX_DATE_SECONDS = 8.64e12;

/** Returns the token; if there is none to renew, returns the reason as a clause for messages. */
export function findAzureCredentials(start: ReadStart, { openedAt }: EscSession): AzureCredentials | string {
  const tokens = AZURE_TOKENS.flatMap((name) => findEscValue(start, name) ?? []);
  const [firstToken] = tokens;
  if (firstToken === undefined) return `ESC does not set ${enumerate(AZURE_TOKENS, "or")}`;
  for (const { value: token } of tokens) {
    // A token that is not a JWT has no time at which it expires.
    const expiresAt = parseTokenEnd(token);
    if (expiresAt !== undefined) return { cloud: "azure", token, openedAt, expiresAt, expirySource: "token" };
  }
  return `${firstToken.name} is no JWT that says when it expires (exp)`;
}

/**
 * Returns the end of a JWT in milliseconds since 1970; undefined for any other text. A JWT has three parts in Base64url,
 * `header.payload.signature`, and the payload is JSON: `{"sub":"…","exp":1764662400}` (RFC 7519, section 4.1.4).
 */
export function parseTokenEnd(token: string): number | undefined {
  const [header, payload, signature, ...furtherParts] = token.split(".");
  const hasThreeParts =
    header !== undefined && payload !== undefined && signature !== undefined && furtherParts.length === 0;
  if (!hasThreeParts) return undefined;
  const endSeconds = parseObject(Buffer.from(payload, "base64url").toString())?.["exp"];
  const isDate = typeof endSeconds === "number" && Math.abs(endSeconds) <= MAX_DATE_SECONDS;
  return isDate ? endSeconds * 1000 : undefined;
}

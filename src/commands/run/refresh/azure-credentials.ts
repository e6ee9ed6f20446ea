/** The federated token for Azure that ESC has given, and the end of its life, which is part of it; pure. */
import { parseObject } from "../../../core/json-object.ts";
import { enumerate } from "../../../core/text.ts";
import { type AzureCredentials, openedAtOf, type ReadStart, valueOfEsc } from "./cloud-credentials.ts";
import { AZURE_TOKENS } from "./azure-variables.ts";

/** ECMA-262, 21.4.1.1. */
const MOST_SECONDS = 8.64e12;

/** Returns the token, or the reason why there is none to renew. @param readAt when ESC was opened, or the cache read */
export function azureCredentials(start: ReadStart, readAt: number): AzureCredentials | string {
  const found = AZURE_TOKENS.flatMap((name) => valueOfEsc(start, name) ?? []);
  const [first] = found;
  if (first === undefined) return `ESC does not set ${enumerate(AZURE_TOKENS, "or")}`;
  for (const { value } of found) {
    const expiresAt = endOfToken(value);
    if (expiresAt !== undefined) {
      return { cloud: "azure", token: value, openedAt: openedAtOf(start, readAt), expiresAt, by: "token" };
    }
  }
  return `${first.name} is no JWT that says when it expires (exp)`;
}

/** Returns the `exp` of a JWT (RFC 7519, section 4.1.4) in milliseconds since 1970; undefined for any other text. */
export function endOfToken(token: string): number | undefined {
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const exp = parseObject(Buffer.from(payload, "base64url").toString())?.["exp"];
  // Beyond it there are no dates.
  return typeof exp === "number" && Math.abs(exp) <= MOST_SECONDS ? exp * 1000 : undefined;
}

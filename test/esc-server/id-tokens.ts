/** ID tokens: JWTs that an issuer signs with RS256 (RFC 7515, RFC 7519), as GitHub Actions and Kubernetes do. */
import { createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from "node:crypto";
import { memberAt } from "../helpers/json-members.ts";
import { parseObject } from "./json.ts";

/** An issuer that an organization has registered. */
export interface TrustedIssuer {
  /** The claim `iss`. */
  readonly url: string;
  /** The issuer's JWKS. */
  readonly keys: readonly JsonWebKey[];
  /** The claim `sub` that its policy allows; any by default. */
  readonly subject?: string;
}

export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  /** Seconds since the epoch. */
  readonly exp: number;
}

export function signIdToken(claims: Claims, key: KeyObject, kid: string): string {
  const parts = [{ alg: "RS256", kid, typ: "JWT" }, claims];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), key).toString("base64url")}`;
}

/** Whether the issuer has signed the token, for this audience and an allowed subject, and it is valid at `now` (ms). */
export function isTrusted(token: string, issuer: TrustedIssuer, audience: string, now: number): boolean {
  const [head = "", body = "", signature = "", ...rest] = token.split(".");
  const header = parseObject(Buffer.from(head, "base64url").toString());
  const claims = parseObject(Buffer.from(body, "base64url").toString());
  const key = issuer.keys.find((one) => one["kid"] === memberAt(header, "kid"));
  if (rest.length > 0 || claims === undefined || key === undefined || memberAt(header, "alg") !== "RS256") return false;
  const publicKey = createPublicKey({ key, format: "jwk" });
  if (!verify("RSA-SHA256", Buffer.from(`${head}.${body}`), publicKey, Buffer.from(signature, "base64url"))) {
    return false;
  }
  const { iss, sub, aud, exp, nbf = 0 } = claims;
  const seconds = now / 1_000;
  return (
    iss === issuer.url &&
    (issuer.subject === undefined || sub === issuer.subject) &&
    [aud].flat().includes(audience) &&
    typeof exp === "number" &&
    seconds < exp &&
    typeof nbf === "number" &&
    seconds >= nbf
  );
}

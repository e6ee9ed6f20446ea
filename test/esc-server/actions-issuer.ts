/**
 * A local issuer of ID tokens in place of GitHub Actions, for tests of the token exchange. The caller of
 * `startActionsIssuer` closes it.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import { signIdToken, type TrustedIssuer } from "./id-tokens.ts";

/** The issuer of GitHub Actions for a job with `id-token: write`. */
export interface ActionsIssuer {
  /** `ACTIONS_ID_TOKEN_REQUEST_URL`; it has a query already. */
  readonly requestUrl: string;
  /** `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestToken: string;
  /** What trusts it: put it into the ESC server's `oidc.issuers`. */
  readonly trust: TrustedIssuer;
  /** The audiences asked for. */
  readonly audiences: readonly string[];
  /** Answers with this status from now on. */
  fault: number | undefined;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ISSUER = "https://issuer.example.test";
const SUBJECT = "repo:demo-org/sophia:ref:refs/heads/main";
/** Of an ID token, in seconds. */
const LIFE = 300;

/** Starts an issuer of ID tokens on loopback. `now` is its clock, in milliseconds. */
export async function startActionsIssuer(now: () => number = Date.now): Promise<ActionsIssuer> {
  const requestToken = randomBytes(16).toString("hex");
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = randomBytes(8).toString("hex");
  const audiences: string[] = [];
  let fault: number | undefined;
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://issuer.test");
    const authorized = request.headers.authorization?.toLowerCase() === `bearer ${requestToken}`;
    const valid = url.pathname === "/token" && url.searchParams.get("api-version") === "2.0";
    const status = fault ?? (!valid || request.method !== "GET" ? 404 : authorized ? 200 : 401);
    response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
    if (status !== 200) return response.end(JSON.stringify({ message: "refused" }));
    const audience = url.searchParams.get("audience") ?? "";
    audiences.push(audience);
    const claims = { iss: ISSUER, sub: SUBJECT, aud: audience, exp: Math.floor(now() / 1_000) + LIFE };
    const value = signIdToken(claims, privateKey, kid);
    return response.end(JSON.stringify({ count: value.length, value }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the issuer does not listen on a port");

  return {
    requestUrl: `http://127.0.0.1:${address.port}/token?api-version=2.0`,
    requestToken,
    trust: { url: ISSUER, keys: [{ ...publicKey.export({ format: "jwk" }), kid }], subject: SUBJECT },
    audiences,
    get fault() {
      return fault;
    },
    set fault(value) {
      fault = value;
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

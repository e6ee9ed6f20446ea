import { randomBytes } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";

/** The issuer of GitHub Actions for a job with `id-token: write`. */
export interface ActionsIssuer {
  /** `ACTIONS_ID_TOKEN_REQUEST_URL`; it has a query already. */
  readonly requestUrl: string;
  /** `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestToken: string;
  /** The ID token that it issues: put it into the ESC server's `oidc.subjectTokens`. */
  readonly idToken: string;
  /** The audiences asked for. */
  readonly audiences: readonly string[];
  /** Answers with this status from now on. */
  fault: number | undefined;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts an issuer of ID tokens on loopback. */
export async function startActionsIssuer(): Promise<ActionsIssuer> {
  const requestToken = randomBytes(16).toString("hex");
  const idToken = fakeJwt();
  const audiences: string[] = [];
  let fault: number | undefined;
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://issuer.test");
    const authorized = request.headers.authorization?.toLowerCase() === `bearer ${requestToken}`;
    const valid = url.pathname === "/token" && url.searchParams.get("api-version") === "2.0";
    const status = fault ?? (!valid || request.method !== "GET" ? 404 : authorized ? 200 : 401);
    if (status === 200) audiences.push(url.searchParams.get("audience") ?? "");
    response.writeHead(status, { "Content-Type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(status === 200 ? { count: idToken.length, value: idToken } : { message: "refused" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the issuer does not listen on a port");

  return {
    requestUrl: `http://127.0.0.1:${address.port}/token?api-version=2.0`,
    requestToken,
    idToken,
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

/** The form of a JWT; its signature is not verified. */
function fakeJwt(): string {
  const claims = { iss: "https://issuer.example.test", sub: "repo:demo-org/sophia:ref:refs/heads/main" };
  return `${jwtPart({ alg: "RS256", typ: "JWT" })}.${jwtPart(claims)}.${randomBytes(32).toString("base64url")}`;
}

function jwtPart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

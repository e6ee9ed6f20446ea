/** An ESC environment whose provider makes tokens for Azure that soon expire, and a stub of Entra that refuses expired ones. */
import { generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { onTestFinished } from "vitest";
import { type EscServer, secret, startEscServer } from "../../../esc-server/index.ts";
import { makeSignedCertificate } from "../../../esc-server/tls.ts";
import { folder } from "../../../helpers/sophia.ts";
import { escVariables } from "../../sophia-environment.ts";
import type { CloudCall, ExpiringWorld } from "./expiring-credentials.ts";

const ENVIRONMENT = "acme/app/dev";
const TENANT = "11111111-1111-4111-8111-111111111111";
const CLIENT = "22222222-2222-4222-8222-222222222222";
const AUDIENCE = "api://AzureADTokenExchange";

export interface AzureWorld extends ExpiringWorld {
  readonly server: EscServer;
}

export async function startAzureWorld({ lifeMs }: { readonly lifeMs: number }): Promise<AzureWorld> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  let tokenCount = 0;
  server.provider("azure-login", () => {
    tokenCount += 1;
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, nbf: now, exp: now + Math.floor(lifeMs / 1000) };
    const claims = {
      iss: "https://api.pulumi.com/oidc",
      sub: "pulumi:env",
      aud: AUDIENCE,
      jti: String(tokenCount),
      ...times,
    };
    return {
      clientId: CLIENT,
      tenantId: TENANT,
      subscriptionId: "33333333-3333-4333-8333-333333333333",
      oidc: { token: secret(signClaims(claims, privateKey)) },
    };
  });
  server.environment(ENVIRONMENT, {
    definition: `values:
  azure:
    login:
      fn::open::azure-login: {}
  environmentVariables:
    ARM_USE_OIDC: "true"
    ARM_CLIENT_ID: \${azure.login.clientId}
    ARM_TENANT_ID: \${azure.login.tenantId}
    ARM_SUBSCRIPTION_ID: \${azure.login.subscriptionId}
    ARM_OIDC_TOKEN: \${azure.login.oidc.token}
    # SDKs prefer these to the file, if they get them.
    AZURE_CLIENT_SECRET:
      fn::secret: sentinel-client-secret
    AZURE_TOKEN_CREDENTIALS: dev
`,
  });
  const certificates = await makeSignedCertificate();
  onTestFinished(() => certificates.remove());
  const calls: CloudCall[] = [];
  const entra = createServer(certificates.valid, (request, response) => {
    const answer = async (): Promise<void> => {
      await answerAsEntra(request, response, { publicKey, calls });
    };
    void answer();
  });
  await new Promise<void>((resolve) => entra.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    entra.closeAllConnections();
    entra.close();
  });
  const address = entra.address();
  if (address === null || typeof address === "string") throw new TypeError("the stub has no port");
  return {
    server,
    cwd: folder({ "sophia.contract.json": JSON.stringify({ variables: {} }) }),
    env: {
      ...escVariables(server, ENVIRONMENT),
      PATH: process.env["PATH"] ?? "",
      AZURE_AUTHORITY_HOST: `https://127.0.0.1:${address.port}`,
      // Where the libraries for Node.js and Python, and curl look for it.
      NODE_EXTRA_CA_CERTS: certificates.caFile,
      REQUESTS_CA_BUNDLE: certificates.caFile,
      AUTHORITY: certificates.caFile,
    },
    calls,
    lifeMs,
  };
}

interface Entra {
  readonly publicKey: KeyObject;
  readonly calls: CloudCall[];
}

/** Answers with the endpoints of a tenant, and with tokens for a caller whose own token is valid (RFC 7523, 2.2). */
async function answerAsEntra(request: IncomingMessage, response: ServerResponse, entra: Entra): Promise<void> {
  const authority = `https://${request.headers.host ?? ""}/${TENANT}`;
  const reply = (status: number, content: Readonly<Record<string, unknown>>): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(content));
  };
  const { pathname } = new URL(request.url ?? "", authority);
  if (request.method === "GET" && pathname === `/${TENANT}/v2.0/.well-known/openid-configuration`) {
    return reply(200, {
      issuer: `${authority}/v2.0`,
      authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
      token_endpoint: `${authority}/oauth2/v2.0/token`,
      jwks_uri: `${authority}/discovery/v2.0/keys`,
    });
  }
  if (request.method !== "POST" || pathname !== `/${TENANT}/oauth2/v2.0/token`) return reply(404, {});
  const form = new URLSearchParams(await bodyOf(request));
  const claims = claimsOf(form.get("client_assertion") ?? "", entra.publicKey);
  const now = Date.now() / 1000;
  const isAccepted =
    claims !== undefined &&
    claims.aud === AUDIENCE &&
    now < claims.exp &&
    form.get("client_id") === CLIENT &&
    form.get("grant_type") === "client_credentials";
  // The parts of a program differ by what they ask for, and number their calls.
  const operation = (form.get("scope") ?? "").replace(/-\d+/, "");
  entra.calls.push({ generation: Number(claims?.jti ?? 0), operation, isAccepted });
  if (!isAccepted) {
    const description = "AADSTS700024: Client assertion is not within its valid time range.";
    return reply(401, { error: "invalid_client", error_description: description, error_codes: [700_024] });
  }
  reply(200, { token_type: "Bearer", expires_in: 3600, access_token: `access-${entra.calls.length}` });
}

interface Claims {
  readonly aud: string;
  readonly exp: number;
  readonly jti: string;
}

function signClaims(claims: Claims & Readonly<Record<string, unknown>>, key: KeyObject): string {
  const part = (content: Readonly<Record<string, unknown>>): string =>
    Buffer.from(JSON.stringify(content)).toString("base64url");
  const text = `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** Returns the claims of a token that this key has signed. */
function claimsOf(token: string, key: KeyObject): Claims | undefined {
  const [header = "", claims = "", signature = ""] = token.split(".");
  const isSigned = verify(
    "sha256",
    Buffer.from(`${header}.${claims}`),
    { key, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  return isSigned ? JSON.parse(Buffer.from(claims, "base64url").toString()) : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}

/**
 * An ESC environment whose provider makes access tokens of Google that soon expire, and a stub of an API that refuses expired ones.
 */
import { createServer } from "node:http";
import { onTestFinished } from "vitest";
import { type EscServer, secret, startEscServer } from "../../../esc-server/index.ts";
import { folder } from "../../../helpers/sophia.ts";
import { escVariables } from "../../sophia-environment.ts";
import type { CloudCall, ExpiringWorld } from "./expiring-credentials.ts";

const ENVIRONMENT = "acme/app/dev";

export interface GoogleWorld extends ExpiringWorld {
  readonly server: EscServer;
}

export async function startGoogleWorld({ lifeMs }: { readonly lifeMs: number }): Promise<GoogleWorld> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const opened: { readonly token: string; readonly expiresAt: number }[] = [];
  server.provider("gcp-login", () => {
    const createdToken = {
      token: `ya29.sentinel-${opened.length + 1}-${"0".repeat(40)}`,
      expiresAt: Date.now() + lifeMs,
    };
    opened.push(createdToken);
    return {
      project: 123_456_789_012,
      accessToken: secret(createdToken.token),
      tokenType: "Bearer",
      expiry: new Date(createdToken.expiresAt).toISOString(),
    };
  });
  server.environment(ENVIRONMENT, {
    definition: `values:
  gcp:
    login:
      fn::open::gcp-login: {}
  environmentVariables:
    GOOGLE_OAUTH_ACCESS_TOKEN: \${gcp.login.accessToken}
    CLOUDSDK_AUTH_ACCESS_TOKEN: \${gcp.login.accessToken}
    GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY: \${gcp.login.expiry}
    GOOGLE_CLOUD_PROJECT: \${gcp.login.project}
`,
  });
  const calls: CloudCall[] = [];
  const api = createServer((request, response) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
    const generation = opened.findIndex((each) => each.token === token) + 1;
    const isAccepted = Date.now() < (opened[generation - 1]?.expiresAt ?? 0);
    calls.push({ generation, operation: request.url ?? "", isAccepted });
    response.writeHead(isAccepted ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(isAccepted ? {} : { error: { code: 401, status: "UNAUTHENTICATED" } }));
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    api.closeAllConnections();
    api.close();
  });
  const address = api.address();
  if (address === null || typeof address === "string") throw new TypeError("the stub has no port");
  return {
    server,
    cwd: folder({ "sophia.contract.json": JSON.stringify({ variables: {} }) }),
    env: {
      ...escVariables(server, ENVIRONMENT),
      PATH: process.env["PATH"] ?? "",
      GOOGLE_API: `http://127.0.0.1:${address.port}`,
    },
    calls,
    lifeMs,
  };
}

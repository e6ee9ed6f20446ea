/** An ESC environment whose providers make tokens of Google Cloud and Azure that soon expire, and files. */
import { onTestFinished } from "vitest";
import { type EscServer, secret, startEscServer } from "../../../esc-server/index.ts";
import { folder } from "../../../helpers/sophia.ts";
import { escVariables } from "../../sophia-environment.ts";

export const ENVIRONMENT = "acme/app/dev";

export interface CloudsWorld {
  readonly server: EscServer;
  readonly cwd: string;
  /** The caller's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds that tokens live from their opening on. */
  lifeMs: number;
  /** The number of openings, which is part of each token. */
  generation: number;
  /** Tokens and files stay the same. */
  isStatic: boolean;
}

export interface CloudsWorldOptions {
  readonly lifeMs?: number;
  /** Lines of `environmentVariables`, in place of all that the providers make. */
  readonly variables?: string;
  /** Lines of `files`. */
  readonly files?: string;
  readonly contract?: Readonly<Record<string, unknown>>;
  /** Files of the working directory. */
  readonly localFiles?: Readonly<Record<string, string>>;
}

const GOOGLE = `
    GOOGLE_OAUTH_ACCESS_TOKEN: \${gcp.login.accessToken}
    GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY: \${gcp.login.expiry}`;
const AZURE = `
    ARM_OIDC_TOKEN: \${azure.login.oidc.token}
    ARM_CLIENT_ID: the-client
    ARM_TENANT_ID: the-tenant`;

export const VARIABLES = { GOOGLE, AZURE } as const;

/** Makes an unsigned JWT. */
export function createJwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
}

export async function startCloudsWorld({
  lifeMs = 3_600_000,
  variables = GOOGLE + AZURE,
  files = "",
  contract = { variables: {} },
  localFiles = {},
}: CloudsWorldOptions = {}): Promise<CloudsWorld> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const world = { lifeMs, generation: 0, isStatic: false };
  const next = (): number => (world.isStatic ? world.generation : (world.generation += 1));
  const end = (): number => Date.now() + world.lifeMs;
  server.provider("gcp-login", () => ({
    accessToken: secret(`sentinel-google-${next()}`),
    expiry: new Date(end()).toISOString(),
  }));
  server.provider("azure-login", () => ({
    oidc: {
      token: secret(
        createJwt({
          iss: "esc",
          jti: `sentinel-azure-${world.isStatic ? world.generation : next()}`,
          exp: end() / 1000,
        }),
      ),
    },
  }));
  server.provider("test-files", () => ({ content: secret(`sentinel-content-${next()}`) }));
  server.environment(ENVIRONMENT, {
    definition: `values:
  gcp:
    login:
      fn::open::gcp-login: {}
  azure:
    login:
      fn::open::azure-login: {}
  test:
    fn::open::test-files: {}
  environmentVariables:
    APP: app${variables}
${files === "" ? "" : `  files:${files}\n`}`,
  });
  return Object.assign(world, {
    server,
    cwd: folder({ "sophia.contract.json": JSON.stringify(contract), ...localFiles }),
    env: { ...escVariables(server, ENVIRONMENT), PATH: process.env["PATH"] ?? "" },
  });
}

/** An ESC environment whose provider makes AWS credentials that soon expire, and a stub of STS and S3 that refuses expired ones. */
import { createServer, type IncomingMessage } from "node:http";
import { onTestFinished } from "vitest";
import { type EscServer, secret, startEscServer } from "../../../esc-server/index.ts";
import { folder } from "../../../helpers/sophia.ts";
import { escVariables } from "../../sophia-environment.ts";

const ENVIRONMENT = "acme/app/dev";

interface AwsCall {
  readonly keyId: string;
  readonly operation: "sts" | "s3";
  readonly isAccepted: boolean;
}

export interface AwsWorld {
  readonly server: EscServer;
  readonly cwd: string;
  /** The caller's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** The address of the stub. */
  readonly stubUrl: string;
  readonly calls: readonly AwsCall[];
  /** Milliseconds that credentials live from their opening on. */
  lifeMs: number;
  /** When each was opened, by its key's ID. */
  readonly openedAtById: ReadonlyMap<string, number>;
}

export interface AwsWorldOptions {
  readonly lifeMs?: number;
  /** The environment says when they expire. */
  readonly saysExpiration?: boolean;
  readonly contract?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** An access key's ID has 20 characters, as some clients check. */
export function createKeyId(generation: number): string {
  return `ASIA${String(generation).padStart(16, "0")}`;
}

export async function startAwsWorld({
  lifeMs = 3_600_000,
  saysExpiration = true,
  contract = { variables: { AWS_REGION: { secret: false } } },
  files = {},
}: AwsWorldOptions = {}): Promise<AwsWorld> {
  const server = await startEscServer();
  onTestFinished(() => server.close());
  const openedAtById = new Map<string, number>();
  const calls: AwsCall[] = [];
  const world = { life: lifeMs };
  server.provider("aws-login", () => {
    const id = createKeyId(openedAtById.size + 1);
    openedAtById.set(id, Date.now());
    return {
      accessKeyId: id,
      secretAccessKey: secret(`sentinel-secret-key-${openedAtById.size}`),
      sessionToken: secret(`sentinel-session-token-${openedAtById.size}`),
      expiration: new Date(Date.now() + world.life).toISOString(),
    };
  });
  server.environment(ENVIRONMENT, {
    definition: `values:
  aws:
    login:
      fn::open::aws-login: {}
  environmentVariables:
    AWS_ACCESS_KEY_ID: \${aws.login.accessKeyId}
    AWS_SECRET_ACCESS_KEY: \${aws.login.secretAccessKey}
    AWS_SESSION_TOKEN: \${aws.login.sessionToken}
    AWS_REGION: eu-central-1
${saysExpiration ? "    AWS_CREDENTIAL_EXPIRATION: ${aws.login.expiration}\n" : ""}`,
  });
  const stubUrl = await startAws((id) => {
    const openedAt = openedAtById.get(id);
    return openedAt !== undefined && Date.now() < openedAt + world.life;
  }, calls);
  return {
    server,
    cwd: folder({ "sophia.contract.json": JSON.stringify(contract), ...files }),
    env: { ...escVariables(server, ENVIRONMENT), PATH: process.env["PATH"] ?? "" },
    stubUrl,
    calls,
    openedAtById,
    get lifeMs() {
      return world.life;
    },
    set lifeMs(ms) {
      world.life = ms;
    },
  };
}

const EXPIRED = "<Code>ExpiredToken</Code><Message>The provided token has expired.</Message>";
const REFUSED = {
  sts: `<ErrorResponse><Error>${EXPIRED}</Error></ErrorResponse>`,
  s3: `<Error>${EXPIRED}</Error>`,
} as const;
const ACCEPTED = {
  sts: (id: string): string =>
    `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/app/${id}</Arn><UserId>${id}</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
  s3: (id: string): string =>
    `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>1</ID></Owner><Buckets><Bucket><Name>${id.toLowerCase()}</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>`,
} as const;

/** Answers GetCallerIdentity and ListBuckets; refuses credentials as AWS does, by the ID in the signature. */
async function startAws(isValid: (keyId: string) => boolean, calls: AwsCall[]): Promise<string> {
  const aws = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const operation = (await bodyOf(request)).includes("GetCallerIdentity") ? "sts" : "s3";
      const id = /Credential=([^/]+)\//.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const isAccepted = isValid(id) && (request.headers["x-amz-security-token"] ?? "") !== "";
      calls.push({ keyId: id, operation, isAccepted });
      response.writeHead(isAccepted ? 200 : 403, { "content-type": "text/xml" });
      response.end(isAccepted ? ACCEPTED[operation](id) : REFUSED[operation]);
    };
    void answer();
  });
  await new Promise<void>((resolve) => aws.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    aws.closeAllConnections();
    aws.close();
  });
  const address = aws.address();
  if (address === null || typeof address === "string") throw new TypeError("the stub has no port");
  return `http://127.0.0.1:${address.port}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}

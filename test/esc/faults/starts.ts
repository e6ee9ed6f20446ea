/** Faults that come before a request, or while the program runs: the reader of ESC alone does not meet them. */
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { secret } from "../../esc-server/index.ts";
import type { FaultCase, Stage, Variables } from "./case.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "./sentinels.ts";

const ENVIRONMENT = "demo-org/sophia/dev";

/** Ends with 0 as soon as it gets no token for Google Cloud any more. */
const UNTIL_GOOGLE_EXPIRED = `
  const file = require("node:fs").readFileSync(process.env.GOOGLE_APPLICATION_CREDENTIALS, "utf8");
  const { token_url: url, credential_source: source } = JSON.parse(file);
  const ask = async () => {
    const subject_token = await (await fetch(source.url, { headers: source.headers })).text();
    const grant_type = "urn:ietf:params:oauth:grant-type:token-exchange";
    const { status } = await fetch(url, { method: "POST", body: new URLSearchParams({ grant_type, subject_token }) });
    if (status === 503) process.exit(0);
    if (status !== 200) process.exit(1);
    setTimeout(ask, 50);
  };
  ask();
`;

/** Ends with 0 as soon as it gets no AWS credentials any more. */
const UNTIL_EXPIRED = `
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: authorization } = process.env;
  const ask = async () => {
    const { status } = await fetch(uri, { headers: { authorization } });
    if (status === 503) process.exit(0);
    setTimeout(ask, 100);
  };
  ask();
`;
/** Long enough for a busy machine to start the program and to renew before the end. */
const LIFE_MS = 8000;

export const STARTS: readonly FaultCase[] = [
  {
    fault: "a tracked `.env` names the environment, without consent",
    behaviour: "no request",
    expect: { kind: "unread" },
    startOptions: {},
    arrange: async ({ folder }) => {
      await writeFile(join(folder, ".env"), `ESC_ENV=${ENVIRONMENT}\n`, { mode: 0o600 });
      execFileSync("git", ["init", "-q"], { cwd: folder });
      execFileSync("git", ["add", ".env"], { cwd: folder });
      return { ESC_ENV: "" };
    },
  },
  {
    fault: "ESC_TOKEN_COMMAND takes too long",
    behaviour: "ended after 30 s, with what it has started",
    expect: { kind: "stopped", code: "esc-credential" },
    startOptions: {},
    arrange: () => ({ ESC_TOKEN: "", ESC_TOKEN_COMMAND: "sleep 300" }),
  },
  {
    fault: "the login of Pulumi's CLI is encrypted",
    behaviour: "no request",
    expect: { kind: "unread" },
    startOptions: { isAtTerminal: true },
    arrange: (stage) => createLogin(stage, stage.server.url, '{"$pulumiSecureStore":{"version":1}}'),
  },
  {
    fault: "the login is for another backend than PULUMI_BACKEND_URL",
    behaviour: "no request",
    expect: { kind: "unread" },
    startOptions: { isAtTerminal: true },
    arrange: (stage) => createLogin(stage, "https://other.example"),
  },
  {
    fault: "a login in CI",
    behaviour: "no request",
    expect: { kind: "unread" },
    startOptions: { isAtTerminal: true },
    arrange: async (stage) => ({ ...(await createLogin(stage, stage.server.url)), CI: "true" }),
  },
  {
    fault: "a login without a controlling terminal",
    behaviour: "no request",
    expect: { kind: "unread" },
    startOptions: {},
    arrange: (stage) => createLogin(stage, stage.server.url),
  },
  {
    fault: "AWS credentials cannot be renewed (`--aws-refresh`)",
    behaviour: "the program gets the present ones until they expire",
    expect: { kind: "read", hasNotice: true },
    // It is tried again until the end, with random pauses.
    countedOperation: "read",
    startOptions: { options: ["--aws-refresh"], program: [process.execPath, "-e", UNTIL_EXPIRED] },
    arrange: ({ server }) => {
      server.environment(ENVIRONMENT, {
        values: {
          AWS_ACCESS_KEY_ID: "ASIA0000000000000000",
          AWS_SECRET_ACCESS_KEY: secret(SENTINEL_SECRET),
          AWS_SESSION_TOKEN: secret(`${SENTINEL_SECRET}-session`),
          AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() + LIFE_MS).toISOString(),
        },
      });
      void server.waitFor("read").then(() => server.failAlways("open", 401));
      return {};
    },
  },
  {
    fault: "Google Cloud credentials cannot be renewed (`--refresh`)",
    behaviour: "the program gets the present ones until they expire",
    expect: { kind: "read", hasNotice: true },
    countedOperation: "read",
    startOptions: { options: ["--refresh"], program: [process.execPath, "-e", UNTIL_GOOGLE_EXPIRED] },
    arrange: ({ server }) => {
      server.environment(ENVIRONMENT, {
        values: {
          GOOGLE_OAUTH_ACCESS_TOKEN: secret(SENTINEL_SECRET),
          GOOGLE_OAUTH_ACCESS_TOKEN_EXPIRY: new Date(Date.now() + LIFE_MS).toISOString(),
        },
      });
      void server.waitFor("read").then(() => server.failAlways("open", 401));
      return {};
    },
  },
];

/** The user has chosen the login to a service by `sophia-run login`. */
async function createLogin({ folder }: Stage, backend: string, credentials?: string): Promise<Variables> {
  const home = join(folder, "home");
  const [settings, pulumi] = [join(home, ".config/sophia-run"), join(home, ".pulumi")];
  for (const one of [settings, pulumi]) await mkdir(one, { recursive: true, mode: 0o700 });
  const choice = JSON.stringify({ version: 1, login: { backend } });
  await writeFile(join(settings, "settings.json"), choice, { mode: 0o600 });
  const token = JSON.stringify({ current: backend, accessTokens: { [backend]: SENTINEL_TOKEN } });
  await writeFile(join(pulumi, "credentials.json"), credentials ?? token, { mode: 0o600 });
  return { HOME: home, ESC_TOKEN: "" };
}

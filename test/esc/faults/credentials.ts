/** Cases of faults of ESC: tokens, token files, token commands and ID tokens that do not give access. */
import { writeFile } from "node:fs/promises";
import { startActionsIssuer } from "../../esc-server/actions-issuer.ts";
import { type FaultCase, refused, unavailable } from "./case.ts";
import { SENTINEL_TOKEN } from "./sentinels.ts";

export const CREDENTIALS: readonly FaultCase[] = [
  {
    fault: "a token file that does not exist",
    behaviour: "no request",
    expect: unavailable("esc-credential"),
    arrange: () => ({ ESC_TOKEN: "", ESC_TOKEN_FILE: "/nonexistent/esc-token" }),
  },
  {
    fault: "an empty token file",
    behaviour: "no request",
    expect: unavailable("esc-credential"),
    arrange: () => ({ ESC_TOKEN: "", ESC_TOKEN_FILE: "/dev/null" }),
  },
  {
    fault: "an endless token file",
    behaviour: "no request",
    expect: unavailable("esc-credential"),
    arrange: () => ({ ESC_TOKEN: "", ESC_TOKEN_FILE: "/dev/zero" }),
  },
  {
    fault: "ESC_TOKEN_COMMAND fails",
    behaviour: "no request, and nothing behind it is tried",
    expect: { kind: "stopped", code: "esc-credential" },
    arrange: () => ({ ESC_TOKEN: "", ESC_TOKEN_COMMAND: "exit 3" }),
  },
  {
    fault: "ESC_TOKEN_COMMAND prints nothing",
    behaviour: "no request, and nothing behind it is tried",
    expect: { kind: "stopped", code: "esc-credential" },
    arrange: () => ({ ESC_TOKEN: "", ESC_TOKEN_COMMAND: "true" }),
  },
  {
    fault: "the ID token is not trusted",
    behaviour: "not retried",
    expect: refused("esc-credential"),
    arrange: async ({ folder }) => {
      const path = `${folder}/id-token`;
      await writeFile(path, SENTINEL_TOKEN);
      return { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: path, ESC_OIDC_ORG: "demo-org" };
    },
  },
  {
    fault: "the exchange fails, every time",
    behaviour: "retried twice: each exchange may mint a token",
    expect: unavailable("esc-server"),
    arrange: async ({ folder, server }) => {
      const path = `${folder}/id-token`;
      await writeFile(path, SENTINEL_TOKEN);
      server.failAlways("exchangeToken", 503);
      return { ESC_TOKEN: "", ESC_OIDC_TOKEN_FILE: path, ESC_OIDC_ORG: "demo-org" };
    },
  },
  {
    fault: "GitHub Actions issues no ID token",
    behaviour: "not retried",
    expect: refused("esc-credential"),
    arrange: async ({ defer }) => {
      const issuer = await startActionsIssuer();
      defer(() => issuer.close());
      issuer.fault = 403;
      return {
        ESC_TOKEN: "",
        ESC_OIDC_ORG: "demo-org",
        ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: SENTINEL_TOKEN,
      };
    },
  },
  {
    fault: "GitHub Actions' URL is plain http on another machine",
    behaviour: "no request",
    expect: unavailable("esc-credential"),
    arrange: () => ({
      ESC_TOKEN: "",
      ESC_OIDC_ORG: "demo-org",
      ACTIONS_ID_TOKEN_REQUEST_URL: "http://issuer.example/token",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: SENTINEL_TOKEN,
    }),
  },
];

/**
 * Obtains the access token for Pulumi ESC from the credential that the settings name. No other file does this.
 *
 *     ESC_TOKEN, ESC_TOKEN_COMMAND, ESC_TOKEN_FILE      the token itself
 *     ESC_OIDC_TOKEN_FILE, GitHub Actions               an ID token, which ESC exchanges for an access token
 */
import type { Environment } from "../../core/model.ts";
import { parseUrl, isLoopback } from "../../core/url.ts";
import type { HttpAnswer } from "../../network/http.ts";
import { hostAndPortOf } from "../../network/network-settings.ts";
import { EscFault, unexpectedAnswer } from "../faults/esc-fault.ts";
import type { EscSettings, FoundSettings } from "../settings/access-settings.ts";
import { type Credential, describeCredential, type TokenExchange } from "../settings/credentials.ts";
import { isToken, Secret } from "../settings/secret.ts";
import { bodyOf, cleanText, fieldsOf, requireObject } from "../transport/answer.ts";
import type { Connection } from "../transport/connection.ts";
import { createOpenBudget } from "../transport/retry.ts";
import { MAX_PIPE_MS, readTokenFile } from "./token-file.ts";

/**
 * Runs `ESC_TOKEN_COMMAND` if that is the credential. It runs before any request to ESC, since it may ask the user at the
 * terminal, and no deadline must pass meanwhile.
 * @throws SophiaError (esc-credential, 125) if the command fails
 */
export async function withTokenOfCommand(
  { credential, ...settings }: FoundSettings,
  environment: Environment,
): Promise<EscSettings> {
  if (credential.kind !== "token-command") return { ...settings, credential };
  const { runTokenCommand } = await import("./token-command.ts");
  const token = await runTokenCommand(credential.command, environment);
  return { ...settings, credential: { kind: "token", token, label: describeCredential(credential) } };
}

/**
 * Reads the token of `ESC_TOKEN_FILE`, which is the same at each start. Returns it with the credential to use from then on,
 * because a pipe can be read only once.
 *
 * @param remarks gets a line if the file is world-readable
 * @returns no token for a credential that mints one at each start, and for a file that cannot be read
 */
export async function readLastingToken(
  credential: Credential,
  remarks: string[],
): Promise<{ readonly token: Secret | undefined; readonly credential: Credential }> {
  if (credential.kind !== "token-file") return { token: undefined, credential };
  try {
    const token = await readTokenFile("ESC_TOKEN_FILE", credential.path, remarks);
    return { token, credential: { kind: "token", token, label: describeCredential(credential) } };
  } catch (error) {
    if (!(error instanceof EscFault)) throw error;
    return { token: undefined, credential };
  }
}

/**
 * Obtains the access token: from the credential itself, from its file, or by the exchange of an ID token. @throws EscFault
 */
export async function obtainToken(credential: Credential, connection: Connection): Promise<Secret> {
  if (credential.kind === "token") return credential.token;
  if (credential.kind === "token-file") return readToken("ESC_TOKEN_FILE", credential.path, connection);
  const idToken =
    credential.kind === "oidc-file"
      ? await readToken("ESC_OIDC_TOKEN_FILE", credential.path, connection)
      : await requestIdToken(credential, connection);
  return exchangeIdToken(idToken, credential.exchange, connection);
}

async function readToken(variable: string, path: string, connection: Connection): Promise<Secret> {
  const { deadline, cleaner, remarks } = connection;
  const remainingMs = deadline.remainingMs();
  try {
    return cleaner.hide(await readTokenFile(variable, path, remarks, remainingMs));
  } catch (error) {
    const hasNoEnd = error instanceof EscFault && error.fault.kind === "file" && error.fault.code === "NO_END";
    // The deadline was the shorter limit on the pipe, so the deadline is the reason.
    if (hasNoEnd && remainingMs < MAX_PIPE_MS) throw deadline.fault(`reading ${variable}`);
    throw error;
  }
}

async function requestIdToken(
  credential: Extract<Credential, { kind: "github-actions" }>,
  connection: Connection,
): Promise<Secret> {
  const { cleaner } = connection;
  cleaner.hide(credential.requestToken);
  const url = parseUrl(credential.url);
  // The request's token must not be sent unencrypted to another machine.
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (url === undefined || !isSafe) throw new EscFault({ kind: "id-token-url" });
  url.searchParams.set("audience", audienceOf(credential.exchange));
  const http = connection.connectTo(url);
  const host = hostAndPortOf(url);
  return connection.repeat("requesting an ID token from GitHub Actions", async () => {
    const answer = await http.request({
      url: url.href,
      method: "GET",
      headers: {
        Authorization: `Bearer ${credential.requestToken.reveal()}`,
        Accept: "application/json",
        "User-Agent": connection.headers()["User-Agent"],
      },
    });
    if (isRefusal(answer)) throw new EscFault({ kind: "id-token", host, status: answer.status });
    return parseToken(requireObject(answer, host, cleaner)["value"], host, cleaner);
  });
}

/** Exchanges an ID token for a short-lived access token (RFC 8693). Each exchange mints a new one. */
async function exchangeIdToken(idToken: Secret, settings: TokenExchange, connection: Connection): Promise<Secret> {
  const { host, cleaner } = connection;
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: audienceOf(settings),
    subject_token: idToken.reveal(),
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    requested_token_type: `urn:pulumi:token-type:access_token:${settings.type}`,
    ...(settings.scope === undefined ? {} : { scope: settings.scope }),
    ...(settings.expiration === undefined ? {} : { expiration: String(settings.expiration) }),
  });
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const requestToken = async (): Promise<Secret> => {
    const answer = await connection.ask({ method: "POST", path: "/api/oauth/token", headers, body: form.toString() });
    if (!isRefusal(answer)) return parseToken(connection.objectIn(answer)["access_token"], host, cleaner);
    // `{ "error": "invalid_grant", "error_description": "…" }` (RFC 6749, 5.2), or the service's own `{ "message": "…" }`.
    const { error, error_description: description, message } = fieldsOf(bodyOf(answer)) ?? {};
    throw new EscFault({
      kind: "exchange",
      host,
      error: cleanText(error, cleaner) ?? `HTTP ${answer.status}`,
      message: cleanText(description, cleaner) ?? cleanText(message, cleaner),
    });
  };
  return connection.repeat("exchanging the ID token", requestToken, createOpenBudget());
}

function audienceOf({ organization }: TokenExchange): string {
  return `urn:pulumi:org:${organization}`;
}

/** Returns true if the same request would fail again. 429 and 5xx may be temporary. */
function isRefusal({ status }: HttpAnswer): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

function parseToken(value: unknown, host: string, cleaner: Connection["cleaner"]): Secret {
  if (typeof value !== "string" || !isToken(value)) throw unexpectedAnswer(host);
  return cleaner.hide(new Secret(value));
}

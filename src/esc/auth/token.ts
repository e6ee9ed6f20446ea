import { systemErrorCode } from "../../system/errors.ts";
import { isLoopback, parseUrl } from "../settings/backend.ts";
import { fieldsOf, parseObject, requireObject } from "../api/answer.ts";
import type { Cleaner } from "../api/clean.ts";
import { type Credential, type Exchange, isToken } from "./credentials.ts";
import type { Deadline } from "../transport/deadline.ts";
import { EscFault } from "../faults/fault.ts";
import type { HttpClient } from "../transport/http.ts";
import { authority } from "../settings/network.ts";
import { Secret } from "./secret.ts";
import { readTokenFile } from "./token-file.ts";

/** What getting a token takes. */
export interface TokenContext {
  readonly backend: string;
  readonly http: HttpClient;
  /** A client for another origin; closed together with the first. */
  readonly connectTo: (origin: URL) => HttpClient;
  readonly headers: Readonly<Record<string, string>>;
  readonly cleaner: Cleaner;
  readonly deadline: Deadline;
  /** Asks again where that may help. The exchange mints a token each time. */
  readonly repeat: <T>(what: string, mints: boolean, ask: () => Promise<T>) => Promise<T>;
}

/** The access token, from its file or exchanged for an ID token. @throws EscFault */
export async function obtainToken(
  credential: Exclude<Credential, { kind: "token" }>,
  context: TokenContext,
): Promise<Secret> {
  switch (credential.kind) {
    case "token-file":
      return readToken("ESC_TOKEN_FILE", credential.path, context);
    case "oidc-file": {
      const idToken = await readToken("ESC_OIDC_TOKEN_FILE", credential.path, context);
      return exchange(idToken, credential.exchange, context);
    }
    case "github-actions": {
      const idToken = await requestIdToken(credential, context);
      return exchange(idToken, credential.exchange, context);
    }
  }
}

async function readToken(variable: string, path: string, { deadline, cleaner }: TokenContext): Promise<Secret> {
  let text: string;
  try {
    text = await readTokenFile(path, deadline, `reading ${variable}`);
  } catch (error) {
    if (error instanceof EscFault) throw error;
    const code = systemErrorCode(error) ?? "UNKNOWN";
    throw new EscFault({ kind: "file", variable, path, code });
  }
  // Editors and `echo` end a file with a line break.
  const token = text.trim();
  if (token === "") throw new EscFault({ kind: "file", variable, path, code: "empty" });
  if (!isToken(token)) throw new EscFault({ kind: "file", variable, path, code: "malformed" });
  const secret = new Secret(token);
  cleaner.hide(secret);
  return secret;
}

/** Asks GitHub Actions for an ID token that is meant for the organization. */
async function requestIdToken(
  credential: Extract<Credential, { kind: "github-actions" }>,
  context: TokenContext,
): Promise<Secret> {
  const { cleaner } = context;
  cleaner.hide(credential.requestToken);
  const url = parseUrl(credential.url);
  // The request carries a token: never in clear over a network.
  if (url === undefined || (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname)))) {
    throw new EscFault({ kind: "id-token-url" });
  }
  url.searchParams.set("audience", audience(credential.exchange));
  const http = context.connectTo(url);
  const host = authority(url);
  return context.repeat("asking GitHub Actions for an ID token", false, async () => {
    const answer = await http.request({
      url: url.href,
      method: "GET",
      headers: {
        Authorization: `Bearer ${credential.requestToken.reveal()}`,
        Accept: "application/json",
        "User-Agent": context.headers["User-Agent"],
      },
    });
    if (isRefusal(answer.status)) throw new EscFault({ kind: "id-token", host, status: answer.status });
    return secretField(requireObject(answer, host, cleaner)["value"], host, cleaner);
  });
}

/** Exchanges an ID token for a short-lived access token (RFC 8693). */
async function exchange(idToken: Secret, request: Exchange, context: TokenContext): Promise<Secret> {
  const { http, backend, cleaner, headers } = context;
  const host = authority(new URL(backend));
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: audience(request),
    subject_token: idToken.reveal(),
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    requested_token_type: `urn:pulumi:token-type:access_token:${request.type}`,
    ...(request.scope === undefined ? {} : { scope: request.scope }),
    ...(request.expiration === undefined ? {} : { expiration: String(request.expiration) }),
  });
  return context.repeat("exchanging the ID token", true, async () => {
    const answer = await http.request({
      url: `${backend}/api/oauth/token`,
      method: "POST",
      headers: { ...headers, "Content-Type": "application/x-www-form-urlencoded" },
      data: form.toString(),
    });
    if (isRefusal(answer.status)) throw refusal(answer, host, cleaner);
    return secretField(requireObject(answer, host, cleaner)["access_token"], host, cleaner);
  });
}

function audience({ organization }: Exchange): string {
  return `urn:pulumi:org:${organization}`;
}

/** Whether there is no point in asking again. What is said of a token or an environment does not fit here. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

/** An OAuth error (RFC 6749, 5.2), or the service's own form. */
function refusal(answer: Parameters<typeof parseObject>[0], host: string, cleaner: Cleaner): EscFault {
  const fallback = `HTTP ${answer.status}`;
  let body: ReturnType<typeof fieldsOf>;
  try {
    body = parseObject(answer, host);
  } catch {
    body = undefined;
  }
  const text = (name: string): string | undefined => {
    const value = body?.[name];
    return typeof value === "string" && value !== "" ? cleaner.clean(value) : undefined;
  };
  const message = text("error_description") ?? text("message");
  return new EscFault({
    kind: "exchange",
    host,
    error: text("error") ?? fallback,
    ...(message === undefined ? {} : { message }),
  });
}

function secretField(value: unknown, host: string, cleaner: Cleaner): Secret {
  if (typeof value !== "string" || !isToken(value)) throw new EscFault({ kind: "answer", host, problem: "unexpected" });
  const secret = new Secret(value);
  cleaner.hide(secret);
  return secret;
}

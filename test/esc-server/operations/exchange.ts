/** The operation of the ESC server that exchanges an ID token for an access token. */
import { type Answer, json } from "../answer.ts";
import { isTrusted } from "../id-tokens.ts";
import { parseObject } from "../json.ts";
import type { TokenOwner } from "../tokens.ts";
import type { ApiRequest, World } from "../world.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";
const ACCESS_TOKEN = "urn:pulumi:token-type:access_token:";

/** Exchanges an ID token for a short-lived access token (RFC 8693; the errors are those of RFC 6749, 5.2). */
export function exchangeToken(world: World, request: ApiRequest): Answer {
  const form = parseParameters(request);
  if (form === undefined) return refuse("invalid_request", "the body is neither a JSON object nor a form");
  if (form.get("grant_type") !== GRANT) return refuse("unsupported_grant_type", `grant_type must be ${GRANT}`);
  if (form.get("subject_token_type") !== ID_TOKEN)
    return refuse("invalid_request", `subject_token_type must be ${ID_TOKEN}`);
  const audience = form.get("audience") ?? "";
  const organization = /^urn:pulumi:org:(.+)$/.exec(audience)?.[1];
  if (organization === undefined) return refuse("invalid_request", "audience must be urn:pulumi:org:ORGANIZATION");
  const type = form.get("requested_token_type") ?? "";
  const owner = ownerOf(type, organization, form.get("scope") ?? "");
  if (owner === undefined) return refuse("invalid_scope", "requested_token_type and scope do not fit together");
  const lifetime = Number(form.get("expiration") ?? world.oidc.lifetime ?? 7_200);
  if (!Number.isInteger(lifetime) || lifetime <= 0) return refuse("invalid_request", "expiration must be in seconds");
  const subject = form.get("subject_token") ?? "";
  const { subjectTokens = [], issuers = [] } = world.oidc;
  const trusted =
    subjectTokens.includes(subject) || issuers.some((issuer) => isTrusted(subject, issuer, audience, world.now()));
  if (!trusted || (world.oidc.organization ?? organization) !== organization) {
    return refuse("invalid_grant", "no trust relationship accepts this token");
  }
  const token = world.tokens.add({ owner, name: "oidc", expires: world.now() + lifetime * 1_000 });
  return json({
    access_token: token.value,
    issued_token_type: type,
    token_type: "token",
    expires_in: lifetime,
    scope: form.get("scope") ?? "",
  });
}

function ownerOf(type: string, organization: string, scope: string): TokenOwner | undefined {
  switch (type) {
    case `${ACCESS_TOKEN}organization`:
      return scope === "" || scope === "admin" ? { kind: "organization", organization } : undefined;
    case `${ACCESS_TOKEN}team`: {
      const team = /^team:(.+)$/.exec(scope)?.[1];
      return team === undefined ? undefined : { kind: "team", organization, team };
    }
    case `${ACCESS_TOKEN}personal`: {
      const login = /^user:(.+)$/.exec(scope)?.[1];
      return login === undefined ? undefined : { kind: "personal", login };
    }
    default:
      return undefined;
  }
}

function parseParameters(request: ApiRequest): ReadonlyMap<string, string> | undefined {
  if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true) {
    return new Map(new URLSearchParams(request.body));
  }
  const body = parseObject(request.body);
  if (body === undefined) return undefined;
  return new Map(
    Object.entries(body).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" ? [[name, String(value)]] : [],
    ),
  );
}

function refuse(error: string, description: string): Answer {
  return json({ error, error_description: description }, 400);
}

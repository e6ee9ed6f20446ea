/** The state of one ESC server, on which its operations work: environments, tokens, sessions and change requests. */
import { randomUUID } from "node:crypto";
import type { Answer } from "./answer.ts";
import { type ChangeRequest, Environments, type EnvironmentName } from "./environments.ts";
import type { TrustedIssuer } from "./id-tokens.ts";
import type { Operation } from "./routes.ts";
import { type Token, Tokens } from "./tokens.ts";
import type { ObjectNode } from "./values.ts";
import type { ExecutionContext, WireStyle } from "./wire.ts";

/** The account behind the server's own token. */
export interface UserSpec {
  readonly login?: string;
  readonly name?: string;
  readonly email?: string;
  /** By default every organization that has an environment; the login itself when there is none. */
  readonly organizations?: readonly string[];
  /** By default the first organization; `null`: there is none, and the request for it fails. */
  readonly defaultOrg?: string | null;
  /** How the service says that there is no default organization. */
  readonly noDefaultOrg?: 400 | 404;
  /** The spelling of the field; both have been seen. */
  readonly defaultOrgField?: "GitHubLogin" | "gitHubLogin";
}

/** The trust that the token exchange needs. */
export interface OidcSpec {
  /** ID tokens that are trusted as they are. */
  readonly subjectTokens?: readonly string[];
  /** Issuers whose ID tokens are trusted, for the organization's audience. */
  readonly issuers?: readonly TrustedIssuer[];
  /** The organization that trusts them; any by default. */
  readonly organization?: string;
  /** Life of a minted token in seconds when the request asks for none. */
  readonly lifetime?: number;
}

interface Session {
  readonly owner: EnvironmentName;
  readonly root: ObjectNode;
  readonly style: WireStyle;
  readonly context: ExecutionContext;
  readonly expires: number;
}

/** Everything that requests see and change. */
export class World {
  readonly environments: Environments;
  readonly tokens: Tokens;
  readonly sessions = new Map<string, Session>();
  readonly changeRequests = new Map<string, ChangeRequest>();
  readonly now: () => number;
  readonly pageSize: number;
  readonly tellsRevision: boolean;
  user: UserSpec;
  oidc: OidcSpec;

  constructor(settings: {
    now: () => number;
    pageSize: number;
    tellsRevision: boolean;
    user: UserSpec;
    oidc: OidcSpec;
  }) {
    this.now = settings.now;
    this.pageSize = settings.pageSize;
    this.tellsRevision = settings.tellsRevision;
    this.user = settings.user;
    this.oidc = settings.oidc;
    this.environments = new Environments(settings.now);
    this.tokens = new Tokens(settings.now);
  }

  get login(): string {
    return this.user.login ?? "demo-user";
  }

  /** The organizations of the user. */
  organizations(): readonly string[] {
    if (this.user.organizations !== undefined) return this.user.organizations;
    const known = [...new Set(this.environments.all().map((environment) => environment.organization))];
    return known.length > 0 ? known : [this.login];
  }

  /** The organizations that a token reaches. */
  reach(token: Token): readonly string[] {
    return token.owner.kind === "personal" ? this.organizations() : [token.owner.organization];
  }

  openSession(session: Session): string {
    const id = randomUUID();
    this.sessions.set(id, session);
    return id;
  }
}

/** One request that has passed the checks of strict.ts and the authorization. */
export interface ApiRequest {
  readonly operation: Operation;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** Absent for the token exchange, which needs no credential. */
  readonly token: Token | undefined;
  /** Notes that the client broke the API's rules. */
  violate(message: string): void;
}

export type Handler = (world: World, request: ApiRequest) => Answer;

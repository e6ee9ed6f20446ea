/** The access tokens of the ESC server: who owns each, what it allows, and when it expires. */
import { randomBytes, randomUUID } from "node:crypto";

/** The owner of a token. */
export type TokenOwner =
  | { readonly kind: "personal"; readonly login: string }
  | { readonly kind: "organization"; readonly organization: string }
  | { readonly kind: "team"; readonly organization: string; readonly team: string };

export interface Token {
  readonly id: string;
  readonly value: string;
  readonly name: string;
  readonly description: string;
  readonly owner: TokenOwner;
  /**
   * `open`: it may open environments and evaluate them, and see neither definitions nor revisions nor tokens (the role
   * `environment-open`). `read`: it may read, too, and not update, create or delete.
   */
  readonly access: "open" | "read" | "write";
  /** The name of the custom role that gives this access; undefined for a built-in role. */
  readonly customRole: string | undefined;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Milliseconds since the epoch; 0 for never. */
  readonly expires: number;
  lastUsed: number;
  deleted: boolean;
}

export type NewToken = Pick<Token, "owner"> &
  Partial<Pick<Token, "value" | "name" | "description" | "access" | "customRole" | "expires">>;

/** The access tokens that a server knows, deleted ones too: their names stay taken. */
export class Tokens {
  readonly #tokens: Token[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(token: NewToken): Token {
    const added: Token = {
      id: randomUUID(),
      value: `pul-${randomBytes(20).toString("hex")}`,
      name: "",
      description: "",
      access: "write",
      customRole: undefined,
      created: this.#now(),
      expires: 0,
      lastUsed: 0,
      deleted: false,
      ...token,
    };
    this.#tokens.push(added);
    return added;
  }

  /** The token of that value if it may be used now. */
  accept(value: string): Token | undefined {
    const token = this.#tokens.find((candidate) => candidate.value === value);
    if (token === undefined || token.deleted) return undefined;
    if (token.expires !== 0 && token.expires <= this.#now()) return undefined;
    token.lastUsed = this.#now();
    return token;
  }

  ownedBy(owner: TokenOwner): Token[] {
    return this.#tokens.filter((token) => !token.deleted && sameOwner(token.owner, owner));
  }

  nameTaken(organization: string, name: string): boolean {
    return this.#tokens.some(
      ({ owner, name: taken }) => owner.kind !== "personal" && owner.organization === organization && taken === name,
    );
  }
}

function sameOwner(a: TokenOwner, b: TokenOwner): boolean {
  if (a.kind === "personal") return b.kind === "personal" && a.login === b.login;
  if (a.kind === "organization") return b.kind === "organization" && a.organization === b.organization;
  return b.kind === "team" && a.organization === b.organization && a.team === b.team;
}

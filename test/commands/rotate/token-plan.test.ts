import { describe, expect, test } from "vitest";
import {
  chooseRole,
  describePlan,
  findOwner,
  parseExpiry,
  type TokenPlan,
} from "../../../src/commands/rotate/token/token-plan.ts";
import { DAY_MS } from "../../../src/core/day.ts";
import type { ListedToken, TokenIdentity, TokenOwner } from "../../../src/esc/api/tokens.ts";

/** 2030-01-31, 23:59:59 UTC. */
const NOW = Date.UTC(2030, 0, 31, 23, 59, 59);

describe("--expires", () => {
  test.each([
    [undefined, 90],
    ["1", 1],
    ["1d", 1],
    ["007", 7],
    ["90d", 90],
    ["730", 730],
    ["730d", 730],
  ])("%s is a lifetime of %i days", (option, days) => {
    expect(parseExpiry(option, NOW)).toEqual(new Date(NOW + days * DAY_MS));
  });

  test.each(["", "0", "0d", "731", "731d", "1000", "0001", "-1", "1.5", "1h", "1dd", "d", "x1", "1 d", "1d\n", true])(
    "%j is refused",
    (option) => {
      expect(() => parseExpiry(option, NOW)).toThrow(
        expect.objectContaining({
          code: "usage",
          message: "--expires needs a number of days from 1 to 730",
          hint: "for example: --expires 90d",
        }),
      );
    },
  );
});

const USER: TokenIdentity = { name: "laptop", organization: undefined, team: undefined };
const ORGANIZATION: TokenIdentity = { name: "ci", organization: "acme", team: undefined };
const TEAM: TokenIdentity = { name: "ci", organization: "acme", team: "web" };

describe("the owner of the new token", () => {
  test.each<[title: string, options: Record<string, string>, old: TokenIdentity | undefined, owner: TokenOwner]>([
    ["is the user of the old one", {}, USER, { kind: "personal" }],
    ["is the organization of the old one", {}, ORGANIZATION, { kind: "organization", organization: "acme" }],
    ["is the team of the old one", {}, TEAM, { kind: "team", organization: "acme", team: "web" }],
    ["is the user with --kind", { kind: "personal" }, TEAM, { kind: "personal" }],
    ["is the organization with --kind", { kind: "organization" }, TEAM, { kind: "organization", organization: "acme" }],
    ["is the team with --kind", { kind: "team" }, TEAM, { kind: "team", organization: "acme", team: "web" }],
    ["is another team with --team", { team: "db" }, TEAM, { kind: "team", organization: "acme", team: "db" }],
    [
      "is a team rather than the organization with --team",
      { team: "db" },
      ORGANIZATION,
      { kind: "team", organization: "acme", team: "db" },
    ],
    [
      "is a team with --kind and --team",
      { kind: "team", team: "db" },
      ORGANIZATION,
      { kind: "team", organization: "acme", team: "db" },
    ],
    [
      "is an organization that the settings name",
      { kind: "organization" },
      USER,
      { kind: "organization", organization: "of-settings" },
    ],
    [
      "is a team of that organization",
      { team: "db" },
      undefined,
      { kind: "team", organization: "of-settings", team: "db" },
    ],
  ])("%s", async (_, options, identity, owner) => {
    expect(await findOwner(options, identity, () => Promise.resolve("of-settings"))).toEqual(owner);
  });

  const UNKNOWN_TEAM = ["the team of the token is not known", "name it with --team"] as const;
  const NO_TEAM_TOKEN = ["--team is only for a team token", "leave it out"] as const;
  test.each<
    [title: string, options: Record<string, string>, old: TokenIdentity | undefined, error: readonly [string, string]]
  >([
    [
      "no old token",
      {},
      undefined,
      [
        "the service does not report the kind of the launcher's token",
        "choose it with --kind organization, --kind team --team TEAM or --kind personal",
      ],
    ],
    ["an old token of no team", { kind: "team" }, ORGANIZATION, UNKNOWN_TEAM],
    ["an empty team", { team: "" }, TEAM, UNKNOWN_TEAM],
    ["--team for a user", { kind: "personal", team: "db" }, TEAM, NO_TEAM_TOKEN],
    ["--team for an organization", { kind: "organization", team: "db" }, TEAM, NO_TEAM_TOKEN],
  ])("is refused with %s", (_, options, identity, [message, hint]) => {
    const findOrganization = (): never => {
      throw new Error("the organization is not needed");
    };
    expect(() => findOwner(options, identity, findOrganization)).toThrow(
      expect.objectContaining({ code: "usage", message, hint }),
    );
  });
});

describe("the role of the new token", () => {
  const OWNER = { kind: "organization", organization: "ac\u001Bme" } as const;
  const listed = (role: string | undefined): ListedToken => ({
    id: "1",
    name: "ci",
    description: "",
    roleId: "role-of-old",
    role,
    roleName: undefined,
    expires: undefined,
  });

  test("may only open environments, also if only the old token shows its id", () => {
    expect(chooseRole(OWNER, "role-open", listed("environment-open"))).toBe("role-open");
    expect(chooseRole(OWNER, "role-open", undefined)).toBe("role-open");
    expect(chooseRole(OWNER, undefined, listed("environment-open"))).toBe("role-of-old");
  });

  test("is none for a user and a team", () => {
    expect(chooseRole({ kind: "personal" }, "role-open", listed("environment-open"))).toBeUndefined();
    expect(chooseRole({ kind: "team", organization: "acme", team: "web" }, undefined, undefined)).toBeUndefined();
  });

  test.each([undefined, "environment-write"])("is never the role of an old token that may do more (%s)", (role) => {
    expect(() => chooseRole(OWNER, undefined, listed(role))).toThrow(
      expect.objectContaining({
        code: "token-role",
        message: "the token that writes may not read the role environment-open of ac\\u001bme",
        hint: "nothing was created; use a token that may read roles, or --kind team with a team that may open the environment",
      }),
    );
  });

  test("is unknown without a list and an old token", () => {
    expect(() => chooseRole(OWNER, undefined, undefined)).toThrow(expect.objectContaining({ code: "token-role" }));
  });
});

describe("the plan", () => {
  const PLAN: TokenPlan = {
    owner: { kind: "personal" },
    roleId: undefined,
    expiresAt: new Date(NOW),
    oldToken: { kind: "stays", reason: "none is set" },
    leftoverNames: [],
  };

  test("names the owner and the permissions of the new token", () => {
    const describeOwner = (owner: TokenOwner): string | undefined =>
      describePlan({ ...PLAN, owner }, "acme/app/dev").split("\n")[1];
    expect(describeOwner({ kind: "personal" })).toBe(
      "  + a new one, personal, with all permissions of its user, until 2030-01-31",
    );
    expect(describeOwner({ kind: "organization", organization: "ac\nme" })).toBe(
      "  + a new one, for the organization ac\\nme, which may only open environments, until 2030-01-31",
    );
    expect(describeOwner({ kind: "team", organization: "ac\nme", team: "we\nb" })).toBe(
      "  + a new one, for the team we\\nb of ac\\nme, with the permissions of the team, until 2030-01-31",
    );
  });

  test("says what becomes of the old token, and names the leftovers of earlier runs", () => {
    expect(describePlan(PLAN, "acme/app/dev, acme/app/b\n").split("\n")).toEqual([
      "The launcher's token for acme/app/dev, acme/app/b\\n:",
      "  + a new one, personal, with all permissions of its user, until 2030-01-31",
      "  ~ the repository secret ESC_TOKEN, for Actions and for Codespaces (gh secret set)",
      "  = the old one is not deleted, because none is set",
      "",
    ]);
    const oldToken = { kind: "known", owner: PLAN.owner, id: "1", name: "c\ni" } as const;
    const leftoverNames = ["sophia-run-1", "sophia-run-\n2"];
    expect(
      describePlan({ ...PLAN, oldToken, leftoverNames }, "acme/app/dev")
        .split("\n")
        .slice(3),
    ).toEqual([
      "  - the old one, c\\ni, after the new one is stored: all other uses of it stop working",
      "  ? sophia-run-1, sophia-run-\\n2: created by an earlier run; delete unused ones in the console",
      "",
    ]);
  });
});

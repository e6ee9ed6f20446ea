import { describe, expect, it } from "vitest";
import { maskingOf, addFormerSecrets } from "../../src/masking/masking.ts";

const secret = (value: string): { readonly name: string; readonly value: string } => ({ name: "KEY", value });
const large = (first: string, bytes: number): ReturnType<typeof secret> => secret(first + "x".repeat(bytes - 1));
const MIB = 1024 * 1024;

describe("former values with the latest", () => {
  it.each([
    ["none", [], { kept: [], dropped: 0 }],
    ["those that are still in use once", ["latest-1", "former-1"], { kept: ["former-1"], dropped: 0 }],
    ["none that cannot be masked", ["short", "former-1"], { kept: ["former-1"], dropped: 0 }],
  ])("keeps %s", (_, former, { kept, dropped }) => {
    const latest = [secret("latest-1")];
    expect(addFormerSecrets(latest, former.map(secret))).toEqual({
      secrets: [...latest, ...kept.map(secret)],
      dropped,
    });
  });

  it("drops the oldest of more than 4 MiB, and the others can be masked", () => {
    const [latest, newer, older, oldest] = [
      large("a", MIB),
      large("b", 2 * MIB),
      large("c", 2 * MIB),
      secret("small-1"),
    ];
    const { secrets, dropped } = addFormerSecrets([latest], [newer, older, oldest]);
    expect([secrets, dropped]).toEqual([[latest, newer], 2]);
    expect(maskingOf(secrets).size).toBe(2);
  });

  it("drops the oldest of more than 1,000 values, and none of the latest program", () => {
    const former = Array.from({ length: 1000 }, (_, index) => secret(`former-${index}`));
    const latest = Array.from({ length: 3 }, (_, index) => secret(`latest-${index}`));
    expect(addFormerSecrets(latest, former)).toEqual({ secrets: [...latest, ...former.slice(0, 997)], dropped: 3 });
    const many = Array.from({ length: 1200 }, (_, index) => secret(`latest-${index}`));
    expect(addFormerSecrets(many, former.slice(0, 2))).toEqual({ secrets: many, dropped: 2 });
  });
});

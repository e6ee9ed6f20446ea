import { describe, expect, it } from "vitest";
import { createMasking, addFormerSecrets } from "../../src/masking/masking.ts";

const secretOf = (value: string): { readonly name: string; readonly value: string } => ({ name: "KEY", value });
const largeSecret = (first: string, bytes: number): ReturnType<typeof secretOf> =>
  secretOf(first + "x".repeat(bytes - 1));
const MIB = 1024 * 1024;

describe("beside the latest values sophia-run masks", () => {
  it.each([
    ["no former values if there are none", [], { kept: [], dropped: 0 }],
    ["a former value once if it is still in use", ["latest-1", "former-1"], { kept: ["former-1"], dropped: 0 }],
    ["no former value that cannot be masked", ["short", "former-1"], { kept: ["former-1"], dropped: 0 }],
  ])("%s", (_, former, { kept, dropped }) => {
    const latest = [secretOf("latest-1")];
    expect(addFormerSecrets(latest, former.map(secretOf))).toEqual({
      secrets: [...latest, ...kept.map(secretOf)],
      dropped,
    });
  });

  it("former values up to 4 MiB in total, and not the oldest of a larger total", () => {
    const [latest, newer, older, oldest] = [
      largeSecret("a", MIB),
      largeSecret("b", 2 * MIB),
      largeSecret("c", 2 * MIB),
      secretOf("small-1"),
    ];
    const { secrets, dropped } = addFormerSecrets([latest], [newer, older, oldest]);
    expect([secrets, dropped]).toEqual([[latest, newer], 2]);
    expect(createMasking(secrets).size).toBe(2);
  });

  it("former values up to 1,000 values in total, but always all of the latest values", () => {
    const former = Array.from({ length: 1000 }, (_, index) => secretOf(`former-${index}`));
    const latest = Array.from({ length: 3 }, (_, index) => secretOf(`latest-${index}`));
    expect(addFormerSecrets(latest, former)).toEqual({ secrets: [...latest, ...former.slice(0, 997)], dropped: 3 });
    const many = Array.from({ length: 1200 }, (_, index) => secretOf(`latest-${index}`));
    expect(addFormerSecrets(many, former.slice(0, 2))).toEqual({ secrets: many, dropped: 2 });
  });
});

/** Tests the names that are suggested for a misspelt name. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createNameFinder, findNearestName } from "../../src/core/suggest.ts";

/** The plain definition: the fewest edits, a swap of neighbours counting as one (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const table: number[][] = [];
  const at = (i: number, j: number): number => table[i]?.[j] ?? Infinity;
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = [];
    table.push(row);
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) row.push(i + j);
      else {
        const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
        const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
        row.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, swapped));
      }
    }
  }
  return at(a.length, b.length);
}

describe("findNearestName", () => {
  it.each([
    ["QDRANT_URL", "QDRANT_URLS"],
    ["QDRANT_URL", "QDRNAT_URL"],
    ["QDRANT_API_KEY", "QDRANT_APIKEY"],
    ["PULUMI_ACCESS_TOKEN", "PULUMI_ACESS_TOKN"],
    ["QDRANT_URL", "qdrant_url"],
    ["port", "prot"],
    ["chekc", "check"],
  ])("for %s finds %s", (wanted, present) => {
    expect(findNearestName(wanted, ["HOME", present, "PATH", "SOMETHING_ELSE"])).toBe(present);
  });

  it.each([
    ["QDRANT_URL", ["QDRANT_URL"]],
    ["QDRANT_URL", ["DATABASE_URL", "QDRANT"]],
    ["A", ["B"]],
    ["AB", ["AC"]],
    ["HOME", ["ROME_1"]],
    ["X".repeat(300), ["X".repeat(299)]],
    ["ANYTHING", []],
  ])("for %s among %j finds nothing", (wanted, names) => {
    expect(findNearestName(wanted, names)).toBeUndefined();
  });

  it("suggests the nearest name, and the first of equally near names", () => {
    expect(findNearestName("QDRANT_API_KEY", ["QDRANT_API_KYEZ", "QDRANT_API_KEZ", "QDRANT_API_KES"])).toBe(
      "QDRANT_API_KEZ",
    );
  });

  it("suggests a name exactly if a name is within the limit, and then one of the nearest", () => {
    const names = fc.string({ unit: fc.constantFrom("A", "B", "C", "_", "1"), minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(names, fc.array(names, { maxLength: 30 }), (wanted, present) => {
        const others = present.filter((name) => name !== wanted);
        const limit = wanted.length < 3 ? -1 : Math.min(3, Math.max(1, Math.floor(wanted.length / 5)));
        const nearest = Math.min(Infinity, ...others.map((name) => editDistance(wanted, name)));
        const found = createNameFinder(present)(wanted);
        const distanceFound = found === undefined ? Infinity : editDistance(wanted, found);
        expect(distanceFound).toBe(nearest > limit ? Infinity : nearest);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("createNameFinder", () => {
  it("does not count names that share too few letters towards its limit on comparisons", () => {
    const find = createNameFinder(
      Array.from({ length: 5000 }, (_, index) => `SERVICE_${String(index).padStart(5, "0")}_HOST_URL`),
    );
    for (let index = 0; index < 1000; index++) find(`DATABASE_${String(index).padStart(4, "0")}_PASSWD_1`);
    expect(find("SERVICE_00042_HOTS_URL")).toBe("SERVICE_00042_HOST_URL");
  });

  it("stops comparing once thousands of searches have met thousands of names that resemble them", () => {
    const find = createNameFinder(
      Array.from({ length: 5000 }, (_, index) => `SERVICE_${String(index).padStart(5, "0")}_URL`),
    );
    expect(find("SERVICE_00042_ULR")).toBe("SERVICE_00042_URL");
    for (let index = 0; index < 1000; index++) find(`SERVCE_${90_000 + index}_URLS`);
    expect(find("SERVICE_00042_ULR")).toBeUndefined();
  });
});

it("a search for similar names considers a bounded number of names, however many are searched for", () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `PRESENT_${index}`);
  const find = createNameFinder(names);
  expect(find("PRESENT_7X")).toBe("PRESENT_7");
  const found = Array.from({ length: 20_000 }, (_, index) => find(`PRESENT_${index}_X`)).filter(Boolean);
  // A message may lack a suggestion; it must not take minutes.
  expect(found.length).toBeLessThan(600);
});

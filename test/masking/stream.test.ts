import { expect, test } from "vitest";
import { maskingOf } from "../../src/masking/masking.ts";

test("a secret that is split over chunks is masked", () => {
  const masker = maskingOf([{ name: "TOKEN", value: "correct-horse" }]).stream();
  const out = ["x correct", "-horse y"].map((text) => Buffer.from(masker.push(Buffer.from(text))).toString());
  out.push(Buffer.from(masker.flush()).toString());
  expect(out.join("")).toBe("x *** y");
  expect(masker.masked).toBe(1);
});

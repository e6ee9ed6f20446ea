import { describe, expect, test } from "vitest";
import { useCertificates } from "../../helpers/certificates.ts";
import { CASES } from "./index.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "./sentinels.ts";
import { readWithFault, withFault, USUAL_TIMEOUT_MS } from "./stage.ts";

// As real processes meet them: test/scenarios/esc-faults.slow.test.ts.

const certificates = useCertificates();

describe("the client reports the fault as its table says", () => {
  test.each(CASES.filter(({ startOptions }) => startOptions === undefined))("$group: $fault", async (one) => {
    const { result } = await withFault(one, certificates(), (variables, stage) => readWithFault(one, variables, stage));
    expect(result.code).toBe("code" in one.expect ? one.expect.code : one.expect.kind);
    expect(result.notices > 0).toBe(one.expect.kind === "read" && one.expect.hasNotice === true);
    // Each fault has a message.
    expect(result.texts.length > 0).toBe(one.expect.kind !== "read");
    for (const line of result.texts) expect(line).toMatch(/^[^\p{Cc}]*$/u);
    expect(result.elapsedMs).toBeLessThanOrEqual(USUAL_TIMEOUT_MS);
    expect(result.exposed).not.toContain(SENTINEL_TOKEN);
    expect(result.exposed).not.toContain(SENTINEL_SECRET);
  });
});

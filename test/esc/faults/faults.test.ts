import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Certificates, makeCertificates } from "../../esc-server/tls.ts";
import type { FaultCase } from "./case.ts";
import { FAULTS } from "./index.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "./sentinels.ts";
import { launch, observe, onStage } from "./stage.ts";
import { type FaultRow, faultTable } from "./table.ts";

// Most of the time is spent in pauses between attempts.
vi.setConfig({ maxConcurrency: 10 });

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});
afterAll(() => certificates.remove());

const rows = new Map<FaultCase, FaultRow>();
const cases = FAULTS.flatMap((group) => group.cases.map((one) => [`${group.group}: ${one.fault}`, one] as const));

describe.concurrent("a fault", () => {
  test.each(cases)("%s", async (_, one) => {
    const observed = await onStage(one, certificates, (variables) => observe(one, variables));
    const launched = await onStage(one, certificates, (variables, folder) => launch(one, variables, folder, []));
    const required = await onStage(one, certificates, (variables, folder) =>
      launch(one, variables, folder, ["--require-esc"]),
    );
    const { kind } = one.expect;

    expect(observed.result.code).toBe(one.expect.kind === "read" ? "read" : one.expect.code);
    expect(observed.result.notices > 0).toBe(one.expect.kind === "read" && one.expect.says === true);
    // Each is one line that says something.
    for (const line of observed.result.words) expect(line).toMatch(/^[^\p{Cc}]+$/u);
    expect(observed.result.elapsedMs).toBeLessThan((one.timeoutMs ?? 10_000) + 1000);

    expect(launched.calls).toEqual(observed.calls);
    expect(required.calls).toEqual(one.whenRequired ?? observed.calls);
    expect([launched.result.status, launched.result.signal]).toEqual([kind === "stopped" ? 125 : 0, null]);
    expect([required.result.status, required.result.signal]).toEqual([kind === "read" ? 0 : 125, null]);
    expect(launched.result.stdout + required.result.stdout).toBe("");
    const silent = one.expect.kind === "read" && one.expect.says !== true;
    for (const { stderr } of [launched.result, required.result]) {
      expect(stderr).toMatch(silent ? /^$/ : /^sophia-run: .+\n/);
    }

    const exposed = [observed.result.exposed, launched.result.stderr, required.result.stderr].join("\n");
    expect(exposed).not.toContain(SENTINEL_TOKEN);
    expect(exposed).not.toContain(SENTINEL_SECRET);
    expect([...launched.result.left, ...required.result.left]).toEqual([]);
    rows.set(one, { one, calls: observed.calls, launched: launched.result, required: required.result });
  });
});

test("every fault stands in the tables of the documentation", async () => {
  const groups = FAULTS.map((group) => ({
    group: group.group,
    rows: group.cases.map((one) => rows.get(one)).filter((row) => row !== undefined),
  }));
  expect(groups.map((group) => group.rows.length)).toEqual(FAULTS.map((group) => group.cases.length));
  await expect(faultTable(groups)).toMatchFileSnapshot("../../../docs/faults.md");
});

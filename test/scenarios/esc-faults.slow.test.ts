import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { CASES } from "../esc/faults/index.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "../esc/faults/sentinels.ts";
import { launchWithFault, readWithFault, withFault } from "../esc/faults/stage.ts";
import { cellsOf, documentedRows, faultDocument } from "../esc/faults/table.ts";
import { useCertificates } from "../helpers/certificates.ts";

// Most of the time is spent in pauses between attempts.
vi.setConfig({ maxConcurrency: 10 });

const certificates = useCertificates();

const document = readFileSync(join(import.meta.dirname, "../../docs/faults.md"), "utf8");
const documented = documentedRows(document);

describe.concurrent("a start with a fault of ESC reports it as documented:", () => {
  test.each(CASES)("$group: $fault", async (one) => {
    const start = (options: readonly string[]) =>
      withFault(one, certificates(), (variables, stage) => launchWithFault(one, variables, stage, options));
    const [launched, required] = await Promise.all([start([]), start(["--require-esc"])]);
    if (one.startOptions === undefined) {
      const observed = await withFault(one, certificates(), (variables, stage) => readWithFault(one, variables, stage));
      expect(launched.calls).toEqual(observed.calls);
    }
    const { kind } = one.expect;
    expect(required.calls).toEqual(one.callsWhenRequired ?? launched.calls);
    const isEnded = kind === "stopped" || kind === "unwritten";
    const status = kind === "unmet" ? 78 : isEnded ? 125 : 0;
    expect([launched.result.status, launched.result.signal]).toEqual([status, null]);
    const statusIfRequired = kind === "read" ? 0 : kind === "unmet" ? 78 : 125;
    expect([required.result.status, required.result.signal]).toEqual([statusIfRequired, null]);
    // A command that writes shows its plan.
    const shown = kind === "unwritten" ? /^new\.env into / : /^$/;
    expect(launched.result.stdout).toMatch(shown);
    expect(required.result.stdout).toMatch(shown);
    const silent = one.expect.kind === "read" && one.expect.hasNotice !== true;
    for (const { stderr } of [launched.result, required.result]) {
      expect(stderr).toMatch(silent ? /^$/ : /^sophia-run: .+\n/);
    }
    const exposed = [launched, required].map(({ result }) => result.stdout + result.stderr).join("\n");
    expect(exposed).not.toContain(SENTINEL_TOKEN);
    expect(exposed).not.toContain(SENTINEL_SECRET);
    expect([...launched.result.leftoverFiles, ...required.result.leftoverFiles]).toEqual([]);

    // Written by `npx tsx scripts/faults.ts`.
    const cells = cellsOf({ one, calls: launched.calls, launched: launched.result, required: required.result });
    expect(documented).toContainEqual({ group: one.group, cells });
  });
});

test("docs/faults.md has a row for each fault, in the order of the faults, below the text of its maker", () => {
  expect(documented.map(({ group, cells }) => [group, cells[0]])).toEqual(
    CASES.map(({ group, fault }) => [group, fault]),
  );
  expect(
    document.startsWith(
      faultDocument([])
        .replace(/<!-- end -->\s*$/, "")
        .trimEnd(),
    ),
  ).toBe(true);
});

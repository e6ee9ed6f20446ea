/** `npx tsx scripts/faults.ts`: causes each fault for real processes and writes docs/faults.md, in a minute and a half. */
import { buildPackage } from "../test/helpers/build.ts";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FAULTS } from "../test/esc/faults/index.ts";
import type { FaultCase } from "../test/esc/faults/case.ts";
import { launchWithFault, withFault } from "../test/esc/faults/stage.ts";
import { faultDocument, type FaultRow } from "../test/esc/faults/table.ts";
import { type Certificates, makeCertificates } from "../test/esc-server/tls.ts";

buildPackage();

async function main(): Promise<void> {
  const certificates = await makeCertificates();
  try {
    const groups = [];
    for (const { group, cases } of FAULTS) {
      groups.push({ group, rows: await Promise.all(cases.map((one) => rowOf(one, certificates))) });
    }
    writeFileSync(join(import.meta.dirname, "../docs/faults.md"), faultDocument(groups));
  } finally {
    await certificates.remove();
  }
}

async function rowOf(one: FaultCase, at: Certificates): Promise<FaultRow> {
  const start = (options: readonly string[]) =>
    withFault(one, at, (variables, stage) => launchWithFault(one, variables, stage, options));
  const [launched, required] = await Promise.all([start([]), start(["--require-esc"])]);
  return { one, calls: launched.calls, launched: launched.result, required: required.result };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

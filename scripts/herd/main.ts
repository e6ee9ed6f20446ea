/** `npm run herd`: writes docs/measurements/herd.md. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { herdReport } from "./report.ts";

writeFileSync(join(import.meta.dirname, "../../docs/measurements/herd.md"), herdReport());

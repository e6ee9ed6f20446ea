/** `npm run herd`: writes docs/herd.md. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { herdReport } from "./report.ts";

writeFileSync(join(import.meta.dirname, "../../docs/herd.md"), herdReport());

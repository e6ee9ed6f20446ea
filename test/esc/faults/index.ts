/** All cases of faults of ESC. The tests run them, and scripts/faults.ts writes their table for the documentation. */
import { ANSWERS } from "./answers.ts";
import type { FaultCase } from "./case.ts";
import { CONNECTION } from "./connection.ts";
import { CREDENTIALS } from "./credentials.ts";
import { DEFINITION } from "./definition.ts";
import { NAMES } from "./names.ts";
import { STARTS } from "./starts.ts";
import { PROXY } from "./proxy.ts";
import { SETTINGS } from "./settings.ts";
import { STATUS } from "./status.ts";
import { TLS } from "./tls.ts";

/** Every fault, under the headings of the table. */
export const FAULTS: readonly { readonly group: string; readonly cases: readonly FaultCase[] }[] = [
  { group: "Connection", cases: CONNECTION },
  { group: "TLS", cases: TLS },
  { group: "Answers", cases: ANSWERS },
  { group: "Status", cases: STATUS },
  { group: "Definition", cases: DEFINITION },
  { group: "Several environments and names", cases: NAMES },
  { group: "Credentials", cases: CREDENTIALS },
  { group: "Proxy", cases: PROXY },
  { group: "Settings", cases: SETTINGS },
  { group: "Consent, logins, and renewal", cases: STARTS },
];

/** Every fault with its heading. */
export const CASES: readonly (FaultCase & { readonly group: string })[] = FAULTS.flatMap(({ group, cases }) =>
  cases.map((one) => ({ ...one, group })),
);

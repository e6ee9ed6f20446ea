/** Finding and reading the contract. */
import builtIn from "../../sophia.contract.json" with { type: "json" };
import { compileContract } from "./compile.ts";
import type { ContractDocument } from "./document.ts";
import type { Contract } from "./model.ts";

/** What `loadContract` goes by. */
export interface ContractRequest {
  /** A contract file that was named (`--contract`, `SOPHIA_CONTRACT`), relative to `cwd` or absolute. */
  readonly file?: string;
  /** Where the search for `sophia.contract.json` begins: an absolute path. */
  readonly cwd: string;
  readonly profile?: string;
}

/** Returns the contract that counts. */
export function loadContract({ profile }: ContractRequest): Contract {
  // Sound: the test of the built-in contract validates this very file against the schema.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return compileContract(builtIn as ContractDocument, { kind: "built-in" }, profile);
}

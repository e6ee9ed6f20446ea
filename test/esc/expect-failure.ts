/** Compares failures of reading ESC with snapshots. */
import type { Failure } from "../../src/core/model.ts";
import { expectWording } from "../helpers/wording.ts";

/** Compares the message, the details and the hint of a failure with the snapshot. */
export function expectFailure({ message, details = [], hint }: Failure, replaced?: Record<string, string>): void {
  expectWording([message, ...details, hint].join("\n"), replaced);
}

import type { Settings } from "../../../command-line/settings.ts";
import type { Assessment } from "../../../resolve/assessment.ts";

/** Returns true if `--watch` has an ESC to follow. */
export function followsEsc({ offline }: Pick<Settings, "offline">, { esc }: Pick<Assessment, "esc">): boolean {
  return "settings" in esc && !offline;
}

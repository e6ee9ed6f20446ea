import type { Line } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import type { Changed } from "../../esc/api/change.ts";
import { formatName } from "../../esc/settings/names.ts";

export function doneText(
  name: string,
  { before, after }: Extract<Changed, { kind: "done" }>,
  { inEnvironment, canGoBack }: { readonly inEnvironment: string | undefined; readonly canGoBack: boolean },
): readonly Line[] {
  const [was, is] = [before.definition.revision, after.definition.revision];
  const shown = printable(name);
  const where = inEnvironment === undefined ? "" : ` --in ${shellWord(printable(inEnvironment))}`;
  const isKnown = was !== undefined && is !== undefined;
  return [
    `✅ ${shown} has a new value in ${printable(formatName(after.name))}.${isKnown ? ` Revision ${was} is now ${is}.` : ""}`,
    ...(isKnown && canGoBack
      ? [`   Back to the old one: sophia-run rotate ${shellWord(shown)} --to ${was}${where}`]
      : []),
    "",
    "Programs that run still have the old value. Those that sophia-run --watch has started are started anew by " +
      "themselves; restart the others, by their names:",
    { text: "  docker compose up --detach --force-recreate", whole: true },
    { text: "  kubectl rollout restart deployment/NAME", whole: true },
    { text: "  sudo systemctl restart NAME", whole: true },
    "Then check with sophia-run check, and revoke the old value where it was issued.",
  ];
}

/** Annotations of a run, at the contract's lines if it has a file. */
import { sep } from "node:path";
import { findNodeAtLocation } from "jsonc-parser";
import { lineAndColumn, parseWithPositions } from "../contract/file/positions.ts";
import { MAX_BYTES, shownPath } from "../contract/file/text.ts";
import type { Failure, Notice } from "../core/model.ts";
import { count } from "../core/text.ts";
import { WIDTH } from "../output/layout.ts";
import { describeNotice, isInformation } from "../output/notices.ts";
import type { Report } from "../output/report.ts";
import { further } from "../output/stderr.ts";
import { explainUnmet } from "../output/unmet.ts";
import { MAX_SHOWN, type ViolationReport } from "../output/violations.ts";
import { workflowCommand } from "../output/workflow-command.ts";
import type { Assessment } from "../resolve/assessment.ts";
import { readBounded } from "../system/bounded-read.ts";

export function annotateFailure(failure: Failure): string {
  return workflowCommand("error", [failure.message, ...further(failure)].join("\n"), { title: "sophia-run" });
}

export function annotateNotices(notices: readonly Notice[]): string {
  return notices
    .map((notice) => {
      const [first, ...rest] = describeNotice(notice);
      const text = [byInput(first.replace(/^warning: /, "")), ...rest].join("\n");
      return workflowCommand(isInformation(notice) ? "notice" : "warning", text, { title: "sophia-run" });
    })
    .join("");
}

/** A message about an option, with the input's name in its place. */
export function byInput(message: string): string {
  return message.replace(/^--/, "the input ");
}

const TO_OPEN =
  "the inputs environment and token, or oidc-organization, say how; for pull requests of forks, which have no secrets, " +
  "there is the input fake";

/**
 * A contract that is not met: why ESC was not read first, then each violation.
 * @param workspace the folder of which the repository's files are named
 */
export async function annotateViolations(
  assessment: Assessment,
  { violations, contract }: Report,
  workspace: string,
  level: "error" | "warning",
): Promise<string> {
  const place = contract.source === "built-in" ? () => ({}) : await placesIn(contract.source, workspace);
  const { cause } = explainUnmet(assessment, WIDTH);
  const more = violations.length - MAX_SHOWN;
  const isSetUp = assessment.esc.kind !== "off" && assessment.esc.kind !== "incomplete";
  const lines = cause === undefined ? [] : [...cause, ...(isSetUp ? [] : [TO_OPEN])];
  return [
    ...(lines.length === 0 ? [] : [workflowCommand(level, lines.join("\n"), { title: "ESC" })]),
    ...violations.slice(0, MAX_SHOWN).map((violation) =>
      workflowCommand(level, [violation.message, ...violation.remedies].join("\n"), {
        title: "Configuration",
        ...place(violation),
      }),
    ),
    ...(more > 0 ? [workflowCommand(level, `and ${count(more, "violation")} more`, { title: "Configuration" })] : []),
  ].join("");
}

type Place = { readonly file?: string; readonly line?: number };

/** Finds the line of a contract's file for a violation; none for a file outside of the workspace. */
async function placesIn(path: string, workspace: string): Promise<(violation: ViolationReport) => Place> {
  const inside = shownPath(path, workspace);
  if (inside === path) return () => ({});
  const file = inside.replaceAll(sep, "/");
  try {
    const text = (await readBounded(path, { maxBytes: MAX_BYTES })).toString("utf8");
    const root = parseWithPositions(text);
    return ({ names }) => {
      // A contract that this one extends may have the name.
      const node = names.map((name) => findNodeAtLocation(root, ["variables", name])).find((one) => one !== undefined);
      return { file, line: lineAndColumn(text, node?.parent?.offset ?? 0).line };
    };
  } catch {
    // It was read a moment ago; without it an annotation has no place.
    return () => ({});
  }
}

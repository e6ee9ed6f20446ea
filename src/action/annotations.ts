/** Annotations of a run, at the lines of the contract if it is a file. */
import { sep } from "node:path";
import { findNodeAtLocation } from "jsonc-parser";
import { lineAndColumn, parseWithPositions } from "../contract/file/positions.ts";
import { MAX_BYTES, shownPath } from "../contract/file/contract-text.ts";
import type { Failure, Notice } from "../core/model.ts";
import { count } from "../core/text.ts";
import { WIDTH } from "../output/layout.ts";
import { describeNotice, isInformation } from "../output/notice-words.ts";
import type { Report } from "../output/report.ts";
import { further } from "../output/stderr.ts";
import { explainUnmet } from "../output/unmet.ts";
import { MAX_SHOWN, type ViolationReport } from "../output/violations.ts";
import { workflowCommand } from "../output/workflow-commands.ts";
import { byInput } from "./inputs.ts";
import type { Start } from "../resolve/start.ts";
import { readFound } from "../system/bounded-read.ts";

export function annotateFailure(failure: Failure): string {
  return workflowCommand("error", byInput([failure.message, ...further(failure)].join("\n")), { title: "sophia-run" });
}

export function annotateNotices(notices: readonly Notice[]): string {
  return notices
    .map((notice) => {
      const [first, ...rest] = describeNotice(notice);
      const text = byInput([first.replace(/^warning: /, ""), ...rest].join("\n"));
      return workflowCommand(isInformation(notice) ? "notice" : "warning", text, { title: "sophia-run" });
    })
    .join("");
}

const NOT_CONFIGURED = "ESC is not configured";
const TO_OPEN =
  "set the inputs environment and token, or oidc-organization; for pull requests of forks, which have no secrets, set " +
  "the input fake";

/** Annotates an unmet contract: why ESC was not read, then each violation. Paths are relative to `workspace`. */
export async function annotateViolations(
  start: Start,
  { violations, contract }: Report,
  workspace: string,
  level: "error" | "warning",
): Promise<string> {
  const locationOf = contract.source === "built-in" ? () => ({}) : await locationsIn(contract.source, workspace);
  const { cause, lacksEsc } = explainUnmet(start, WIDTH, "asks");
  const more = violations.length - MAX_SHOWN;
  const isNotAsked = start.store.esc.kind === "off" || start.store.esc.kind === "incomplete";
  // A project need not use ESC, but the step that uses the action may.
  const reason = cause ?? (lacksEsc === true ? [NOT_CONFIGURED] : []);
  const lines = [...reason, ...(reason.length > 0 && isNotAsked ? [TO_OPEN] : [])];
  return [
    ...(lines.length === 0 ? [] : [workflowCommand(level, byInput(lines.join("\n")), { title: "ESC" })]),
    ...violations.slice(0, MAX_SHOWN).map((violation) =>
      workflowCommand(level, [violation.message, ...violation.remedies].join("\n"), {
        title: "Configuration",
        ...locationOf(violation),
      }),
    ),
    ...(more > 0 ? [workflowCommand(level, `and ${count(more, "violation")} more`, { title: "Configuration" })] : []),
  ].join("");
}

type AnnotationLocation = { readonly file?: string; readonly line?: number };

/** Returns a function that finds the line of the contract for a violation; no line for a file outside the workspace. */
async function locationsIn(
  path: string,
  workspace: string,
): Promise<(violation: ViolationReport) => AnnotationLocation> {
  const inside = shownPath(path, workspace);
  if (inside === path) return () => ({});
  const file = inside.replaceAll(sep, "/");
  try {
    const text = readFound(path, { maxBytes: MAX_BYTES }).toString("utf8");
    const root = parseWithPositions(text);
    return ({ names }) => {
      // The name may be in a contract that this one extends.
      const node = names.map((name) => findNodeAtLocation(root, ["variables", name])).find((one) => one !== undefined);
      return { file, line: lineAndColumn(text, node?.parent?.offset ?? 0).line };
    };
  } catch {
    // The file was removed after it was read: the annotations have no location.
    return () => ({});
  }
}

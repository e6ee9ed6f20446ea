/**
 * Writes annotations for the GitHub Action. GitHub shows them above the log of a workflow run, and those of violations also at the line of
 * the contract. An annotation is a line of the output, a workflow command:
 *
 *     ::error title=Configuration,file=sophia.contract.json,line=12::API_KEY is missing
 */
import { sep } from "node:path";
import { findNodeAtLocation } from "jsonc-parser";
import { positionAt, parseWithPositions } from "../contract/file/positions.ts";
import { MAX_CONTRACT_BYTES, shortenPath } from "../contract/file/contract-text.ts";
import type { Failure, Notice } from "../core/model.ts";
import { count } from "../core/text.ts";
import { WIDTH } from "../output/layout.ts";
import { describeNotice, isInformation } from "../output/notice-words.ts";
import type { Report } from "../output/report.ts";
import { listDetailsAndHint } from "../output/stderr.ts";
import { explainUnmet } from "../output/unmet.ts";
import { MAX_SHOWN_VIOLATIONS, type ViolationReport } from "../output/violations.ts";
import { createWorkflowCommand } from "../output/workflow-commands.ts";
import { byInput } from "./inputs.ts";
import type { Start } from "../resolve/start.ts";
import { readFoundFile } from "../system/bounded-read.ts";

/** Returns the annotation of a failure because of which the step ends. */
export function annotateFailure(failure: Failure): string {
  return createWorkflowCommand("error", byInput([failure.message, ...listDetailsAndHint(failure)].join("\n")), {
    title: "sophia-run",
  });
}

/** Returns an annotation for each notice of the start. */
export function annotateNotices(notices: readonly Notice[]): string {
  return notices
    .map((notice) => {
      const [first, ...rest] = describeNotice(notice);
      const text = byInput([first.replace(/^warning: /, ""), ...rest].join("\n"));
      return createWorkflowCommand(isInformation(notice) ? "notice" : "warning", text, { title: "sophia-run" });
    })
    .join("");
}

const NOT_CONFIGURED = "ESC is not configured";
const CREDENTIAL_REMEDY =
  "set the inputs environment and token, or oidc-organization; for pull requests of forks, which have no secrets, set " +
  "the input fake";

/**
 * Annotates a contract that is not met: first why ESC was not read, then each violation.
 *
 * @param workspace the folder of the repository, to which the paths of annotations are relative
 */
export async function annotateViolations(
  start: Start,
  { violations, contract }: Report,
  workspace: string,
  level: "error" | "warning",
): Promise<string> {
  const locationOf = contract.source === "built-in" ? () => ({}) : await locationsIn(contract.source, workspace);
  const { cause, lacksEsc } = explainUnmet(start, WIDTH, "asks");
  const hiddenCount = violations.length - MAX_SHOWN_VIOLATIONS;
  const lacksCredential = start.store.esc.kind === "off" || start.store.esc.kind === "incomplete";
  // A project need not use ESC, but the step that uses the action may.
  const reason = cause ?? (lacksEsc === true ? [NOT_CONFIGURED] : []);
  const remedy = reason.length > 0 && lacksCredential ? [CREDENTIAL_REMEDY] : [];
  const escLines = [...reason, ...remedy];
  return [
    ...(escLines.length === 0 ? [] : [createWorkflowCommand(level, byInput(escLines.join("\n")), { title: "ESC" })]),
    ...violations.slice(0, MAX_SHOWN_VIOLATIONS).map((violation) =>
      createWorkflowCommand(level, [violation.message, ...violation.remedies].join("\n"), {
        title: "Configuration",
        ...locationOf(violation),
      }),
    ),
    ...(hiddenCount > 0
      ? [createWorkflowCommand(level, `and ${count(hiddenCount, "violation")} more`, { title: "Configuration" })]
      : []),
  ].join("");
}

type AnnotationLocation = { readonly file?: string; readonly line?: number };

/** Returns a function that finds the line of a violation in the contract. A file outside the workspace has no location. */
async function locationsIn(
  path: string,
  workspace: string,
): Promise<(violation: ViolationReport) => AnnotationLocation> {
  const relativePath = shortenPath(path, workspace);
  if (relativePath === path) return () => ({});
  const file = relativePath.replaceAll(sep, "/");
  try {
    const text = readFoundFile(path, { maxBytes: MAX_CONTRACT_BYTES }).toString("utf8");
    const root = parseWithPositions(text);
    return ({ names }) => {
      const nodes = names.map((name) => findNodeAtLocation(root, ["variables", name]));
      // Without a node, the name is in a contract that this one extends: the annotation is then at the first line.
      const offset = nodes.find((node) => node !== undefined)?.parent?.offset ?? 0;
      return { file, line: positionAt(text, offset).line };
    };
  } catch {
    // The file was changed or removed after the contract was read: the annotations have no location.
    return () => ({});
  }
}

/** The variables of a `.env.example`; pure. */
import { isPlaceholder } from "../../contract/placeholder.ts";
import { withoutMark } from "../../core/text.ts";
import { type Candidate, isCandidateName, isSecretName } from "./candidates.ts";

/** In a comment it makes the variable below optional, as the first word of a heading all up to the next empty line. */
const OPTIONAL = /(?<!\b(?:not|no longer|non)[ -])\boptional\b/i;
const OPTIONAL_HEADING = /^[-=*#\s]*optional\b/i;

/**
 * Reads each assignment; one that is commented out or described as optional is an optional variable. The comment lines right
 * above are its description. Such files may hold real secrets, so a value becomes the example only if it is a placeholder
 * or the name is not that of a secret.
 */
export function fromExample(text: string): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  let comments: string[] = [];
  let isOptionalSection = false;
  for (const line of withoutMark(text).split(/\r\n|\n|\r/)) {
    const match = /^\s*(#)?\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line);
    const name = match?.[2] ?? "";
    // A comment is an assignment only in capital letters: a sentence may contain `=`, too.
    if (match !== null && (match[1] === undefined || /^[A-Z][A-Z\d_]*$/.test(name))) {
      if (isCandidateName(name) && !found.has(name)) {
        const assigned = match[3] ?? "";
        const isOptional =
          isOptionalSection || OPTIONAL.test(comments.join(" ")) || OPTIONAL.test(commentBehind(assigned));
        const value = valueOf(assigned);
        found.set(name, {
          name,
          required: match[1] === undefined && !isOptional,
          description: comments.filter((one) => !/^[-=*#\s]/.test(one)).join(" ") || undefined,
          example: isExample(name, value) ? value : undefined,
        });
      }
      comments = [];
      continue;
    }
    const comment = /^\s*#+\s?(.*)$/.exec(line)?.[1];
    if (comment === undefined) {
      comments = [];
      isOptionalSection = false;
    } else if (/[A-Za-z]/.test(comment)) {
      comments.push(comment.trim());
      if (OPTIONAL_HEADING.test(comment)) isOptionalSection = true;
    }
  }
  return [...found.values()];
}

function isExample(name: string, value: string): boolean {
  // `scheme://user:password@host`, with a password that is not a placeholder.
  if (value === "" || /:\/\/[^/\s:@]*:[^/\s@<>]+@/.test(value)) return false;
  return !isSecretName(name) || isPlaceholder({ secret: true }, value);
}

function commentBehind(text: string): string {
  return /(?:^|\s)#(.*)$/.exec(text.trim().replace(/^(["'`])[^]*?\1/, ""))?.[1] ?? "";
}

function valueOf(text: string): string {
  const trimmed = text.trim();
  const quoted = /^(["'`])([^]*)\1/.exec(trimmed)?.[2];
  return quoted ?? trimmed.replace(/\s+#.*$/, "").replace(/^#.*$/, "");
}

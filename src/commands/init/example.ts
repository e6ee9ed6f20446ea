/**
 * Parses a `.env.example` that a user wrote. generated-example.ts parses those that `sophia-run docs` wrote.
 *
 *     # The port of the server (optional)
 *     PORT=8080
 *     # DEBUG=1
 */
import { describeCredential } from "../../contract/credential-forms.ts";
import { isSecretName } from "../../contract/looks-secret.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import { withoutMark } from "../../core/text.ts";
import type { Candidate } from "./variable-candidates.ts";

/** The word `optional` in a comment makes the next variable optional, unless the comment says `not optional`. */
const OPTIONAL_WORD = /(?<!\b(?:not|no longer|non)[ -])\boptional\b/i;
/**
 * A comment that begins with `optional` is a heading. It makes all variables below it optional, up to the next line that is neither a
 * comment nor an assignment, such as an empty one.
 */
const OPTIONAL_HEADING = /^[-=*#\s]*optional\b/i;
/** Matches an assignment, and also one that `#` comments out. */
const ASSIGNMENT = /^(#)?\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/;

/**
 * Returns the variables that the file assigns. A variable is optional if its assignment is commented out, or if a comment
 * says so. The comment lines directly above an assignment become the description.
 *
 * The file may contain real secrets. So a value becomes the example only if it does not look like a credential. If the name of the
 * variable is that of a secret, the value must also be a placeholder.
 */
export function parseExample(text: string): readonly Candidate[] {
  const candidates = new Map<string, Candidate>();
  let comments: string[] = [];
  let isOptionalSection = false;
  for (const line of withoutMark(text).split(/\r\n|\n|\r/)) {
    const [assignment, commentMark, name = "", assigned = ""] = ASSIGNMENT.exec(line.trimStart()) ?? [];
    const isCommentedOut = commentMark !== undefined;
    // In a comment only names in capital letters are assignments, since a sentence may contain `=`, too.
    if (assignment !== undefined && (!isCommentedOut || /^[A-Z][A-Z\d_]*$/.test(name))) {
      // The first assignment of a name counts, even if it is commented out.
      if (!candidates.has(name)) {
        const isOptional = isCommentedOut || isOptionalSection || isCalledOptional(comments, assigned);
        candidates.set(name, toCandidate(name, assigned, comments, isOptional));
      }
      comments = [];
      continue;
    }
    const comment = /^\s*#+\s?(.*)$/.exec(line)?.[1];
    if (comment === undefined) {
      comments = [];
      isOptionalSection = false;
    } else if (/[A-Za-z]/.test(comment)) {
      // Lines without a Latin letter, such as `# -----`, are skipped.
      comments.push(comment.trim());
      if (OPTIONAL_HEADING.test(comment)) isOptionalSection = true;
    }
  }
  return [...candidates.values()];
}

/** @param assigned the text after `=` @param comments the comment lines directly above the assignment */
function toCandidate(name: string, assigned: string, comments: readonly string[], isOptional: boolean): Candidate {
  const value = parseValue(assigned);
  return {
    name,
    required: !isOptional,
    isOptional: isOptional ? true : undefined,
    // Headings such as `--- Database ---` are left out, and with them the items of lists.
    description: comments.filter((comment) => !/^[-=*#]/.test(comment)).join(" ") || undefined,
    example: isSafeAsExample(name, value) ? value : undefined,
  };
}

/** Returns true if the comments above an assignment, or the comment after its value, call the variable optional. */
function isCalledOptional(comments: readonly string[], assigned: string): boolean {
  return [comments.join(" "), trailingComment(assigned)].some((comment) => OPTIONAL_WORD.test(comment));
}

/** Returns true if a value does not look like a secret, so that it may be written into the contract as the example. */
function isSafeAsExample(name: string, value: string): boolean {
  // `scheme://user:password@host` or `https://key@host`, but not a placeholder such as `scheme://user:<password>@host`.
  const hasCredentials = /:\/\/[^/\s:@]*:[^/\s@<>]+@|https?:\/\/[^/\s@<>]+@/.test(value);
  if (value === "" || hasCredentials) return false;
  const withoutUserInfo = value.replaceAll(/:\/\/[^/\s@]*@/g, "://");
  if (describeCredential(withoutUserInfo) !== undefined) return false;
  return !isSecretName(name) || isPlaceholder({ secret: true }, value);
}

/** A value in quotes, such as `"a # \"b\""`. It ends at the first quote that has no backslash before it, as in dotenv. */
const QUOTED = /^(["'`])((?:\\\1|(?!\1)[^])*)\1/;

/** Returns the comment after a value: `"a # b" # comment`. */
function trailingComment(assigned: string): string {
  const withoutQuotedValue = assigned.trim().replace(QUOTED, "");
  return /(?:^|\s)#(.*)$/.exec(withoutQuotedValue)?.[1] ?? "";
}

/** Returns the value without its quotes and without the comment after it. */
function parseValue(assigned: string): string {
  const trimmed = assigned.trim();
  const quotedValue = QUOTED.exec(trimmed)?.[2];
  return quotedValue ?? trimmed.replace(/(?<!\s)\s+#.*$/, "").replace(/^#.*$/, "");
}

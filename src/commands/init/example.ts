/** Variables out of the text of a `.env.example`; pure. */
import { isPlaceholder } from "../../contract/placeholder.ts";
import { type Found, isCandidate, soundsSecret } from "./found.ts";
import { withoutMark } from "../../core/text.ts";

/** A comment that says so of the variable below; as the first word of a heading, of all up to the next empty line. */
const OPTIONAL = /(?<!\b(?:not|no longer|non)[ -])\boptional\b/i;
const OPTIONAL_HEADING = /^[-=*#\s]*optional\b/i;

/**
 * Every assignment, those that are commented out or described as optional as optional ones. The comment lines right above one describe it. A
 * value becomes the example only where it is a placeholder, or where the name does not sound secret: real secrets do
 * stand in such files.
 */
export function fromExample(text: string): readonly Found[] {
  const found = new Map<string, Found>();
  let comments: string[] = [];
  let isOptionalPart = false;
  for (const line of withoutMark(text).split(/\r\n|\n|\r/)) {
    const match = /^\s*(#)?\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line);
    const name = match?.[2] ?? "";
    // A sentence may hold an = sign too: what is commented out is an assignment only in capital letters.
    if (match !== null && (match[1] === undefined || /^[A-Z][A-Z\d_]*$/.test(name))) {
      if (isCandidate(name) && !found.has(name)) {
        const assigned = match[3] ?? "";
        const isOptional =
          isOptionalPart || OPTIONAL.test(comments.join(" ")) || OPTIONAL.test(commentBehind(assigned));
        found.set(name, entry(name, match[1] === undefined && !isOptional, valueOf(assigned), comments));
      }
      comments = [];
      continue;
    }
    const comment = /^\s*#+\s?(.*)$/.exec(line)?.[1];
    if (comment === undefined) {
      comments = [];
      isOptionalPart = false;
    } else if (/[A-Za-z]/.test(comment)) {
      comments.push(comment.trim());
      if (OPTIONAL_HEADING.test(comment)) isOptionalPart = true;
    }
  }
  return [...found.values()];
}

function entry(name: string, required: boolean, value: string, comments: readonly string[]): Found {
  const description = comments.filter((line) => !/^[-=*#\s]/.test(line)).join(" ");
  const declaration = { name, label: name, description: "", secret: true, aliases: [] };
  const isExample = value !== "" && (isPlaceholder(declaration, value) || !soundsSecret(name)) && !holdsPassword(value);
  return {
    name,
    required,
    ...(description === "" ? {} : { description }),
    ...(isExample ? { example: value } : {}),
  };
}

/** `scheme://user:password@host`, with a password that is not a placeholder. */
function holdsPassword(value: string): boolean {
  return /:\/\/[^/\s:@]*:[^/\s@<>]+@/.test(value);
}

function commentBehind(text: string): string {
  return /(?:^|\s)#(.*)$/.exec(text.trim().replace(/^(["'`])[^]*?\1/, ""))?.[1] ?? "";
}

function valueOf(text: string): string {
  const trimmed = text.trim();
  const quoted = /^(["'`])([^]*)\1/.exec(trimmed)?.[2];
  return quoted ?? trimmed.replace(/\s+#.*$/, "").replace(/^#.*$/, "");
}

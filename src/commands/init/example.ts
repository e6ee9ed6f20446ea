/** The variables of a `.env.example` that the user or `docs` wrote; pure. */
import { credentialIn } from "../../contract/credential-forms.ts";
import { isSecretName } from "../../contract/looks-secret.ts";
import { isPlaceholder } from "../../contract/placeholder.ts";
import { grouped } from "../../core/grouped.ts";
import { withoutMark } from "../../core/text.ts";
import { isAddressNote } from "../docs/broker-addresses.ts";
import { GROUP_WORDS } from "../docs/outline.ts";
import type { Candidate, CandidateGroup } from "./variable-candidates.ts";

/** In a comment it makes the variable below optional, as the first word of a heading all up to the next empty line. */
const OPTIONAL = /(?<!\b(?:not|no longer|non)[ -])\boptional\b/i;
const OPTIONAL_HEADING = /^[-=*#\s]*optional\b/i;

/**
 * Reads assignments, each with the comment lines right above. One that is commented out or described as optional is optional.
 * Such files may hold real secrets: only a placeholder, or a value whose name is not a secret's, becomes the example.
 */
export function fromExample(text: string): readonly Candidate[] {
  const candidates = new Map<string, Candidate>();
  let comments: string[] = [];
  let isOptionalSection = false;
  for (const line of withoutMark(text).split(/\r\n|\n|\r/)) {
    const match = /^(#)?\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line.trimStart());
    const name = match?.[2] ?? "";
    // A comment is an assignment only in capital letters: a sentence may contain `=`, too.
    if (match !== null && (match[1] === undefined || /^[A-Z][A-Z\d_]*$/.test(name))) {
      if (!candidates.has(name)) {
        const assigned = match[3] ?? "";
        const isOptional =
          isOptionalSection || OPTIONAL.test(comments.join(" ")) || OPTIONAL.test(commentBehind(assigned));
        const value = valueOf(assigned);
        candidates.set(name, {
          name,
          required: match[1] === undefined && !isOptional,
          isOptional: match[1] !== undefined || isOptional ? true : undefined,
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
  return [...candidates.values()];
}

function isExample(name: string, value: string): boolean {
  // `scheme://user:password@host` or `https://key@host`, with a password or key that is not a placeholder.
  if (value === "" || /:\/\/[^/\s:@]*:[^/\s@<>]+@|https?:\/\/[^/\s@<>]+@/.test(value)) return false;
  if (credentialIn(value.replaceAll(/:\/\/[^/\s@]*@/g, "://")) !== undefined) return false;
  return !isSecretName(name) || isPlaceholder({ secret: true }, value);
}

function commentBehind(text: string): string {
  return /(?:^|\s)#(.*)$/.exec(text.trim().replace(/^(["'`])[^]*?\1/, ""))?.[1] ?? "";
}

function valueOf(text: string): string {
  const trimmed = text.trim();
  const quoted = /^(["'`])([^]*)\1/.exec(trimmed)?.[2];
  return quoted ?? trimmed.replace(/(?<!\s)\s+#.*$/, "").replace(/^#.*$/, "");
}

const RULES = ["exactly-one", "at-least-one", "all-or-none", "one-of"] as const;

/** Lines of facts behind the description. */
const FACT = /^(?:Deprecated: use |Format: |Example: |Default: |See )/;

/** Reads a file of `docs`, without formats, aliases and conditions: a variable with a condition is optional. */
export function fromGenerated(text: string): {
  readonly candidates: readonly Candidate[];
  readonly groups: readonly CandidateGroup[];
} {
  const lines = text.split(/\r\n|\n|\r/);
  const blocks = blocksOf(lines).filter(
    ({ name, comments }) => name !== "ESC_ENV" && name !== "ESC_TOKEN" && !comments.some(isAddressNote),
  );
  const members = blocks.flatMap(({ name, needs }) => needs.map((need) => ({ name, need })));
  const groups = Array.from(grouped(members, ({ need }) => need)).flatMap(([need, named]) => {
    const rule = RULES.find((kind) => need.startsWith(`${GROUP_WORDS[kind][0]} `));
    if (rule === undefined) return [];
    const label = need.slice(GROUP_WORDS[rule][0].length + 1);
    return [
      {
        label,
        rule,
        variables: inOrder(
          named.map(({ name }) => name),
          label,
          lines,
        ),
      },
    ];
  });
  return { candidates: blocks.map(toCandidate), groups };
}

interface Block {
  readonly name: string;
  readonly label: string | undefined;
  /** The rules over the variable in words; none if the user added it by hand. */
  readonly needs: readonly string[];
  readonly comments: readonly string[];
}

function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  let comments: string[] = [];
  for (const line of lines) {
    const name = /^(?:export )?([A-Za-z_][\w.-]*)=/.exec(line)?.[1];
    if (name !== undefined) {
      const [title, label, needs] = /^(?:(.*) )?\(([^()]*)\)$/.exec(comments[0] ?? "") ?? [];
      const rest = title === undefined ? comments : comments.slice(1);
      blocks.push({ name, label, needs: needs?.split("; ") ?? [], comments: rest });
    }
    const comment = /^# ?(.*)$/.exec(line)?.[1];
    if (comment === undefined) comments = [];
    else comments.push(comment);
  }
  return blocks;
}

function toCandidate({ name, label, needs, comments }: Block): Candidate {
  const at = needs.length > 0 ? comments.findIndex((line) => FACT.test(line)) : -1;
  const end = at === -1 ? comments.length : at;
  const fact = (prefix: string): string | undefined =>
    comments.find((line, index) => index >= end && line.startsWith(prefix))?.slice(prefix.length);
  return {
    name,
    required: needs.length === 0 || needs.includes("required"),
    // The file does not say which variables are public.
    secret: true,
    label,
    description: comments.slice(0, end).join("\n") || undefined,
    example: fact("Example: "),
    default: fact("Default: "),
    docs: fact("See "),
  };
}

/** Sorts the variables of a group by preference, which is the order in the sentence at the head of the file. */
function inOrder(names: readonly string[], label: string, lines: readonly string[]): readonly string[] {
  const sentence = lines.find((line) => line.startsWith(`# ${label}: `)) ?? "";
  const words = sentence.slice(label.length).split(/[\s,.]+/);
  const rank = (name: string): number => (words.includes(name) ? words.indexOf(name) : words.length);
  return names.toSorted((a, b) => rank(a) - rank(b));
}

/** Reads Markdown documents: code blocks, sections, links and headings. */

/** A fenced code block. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** Returns the fenced code blocks of a document in order. Blocks in lists lose their indentation. */
export function fencedBlocksOf(document: string): readonly Block[] {
  return [...document.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = "", language = "", text = ""]) => ({
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** Returns a section of a document with its heading, which is of the second level. @throws Error if there is no such section */
export function sectionOf(document: string, heading: string): string {
  const start = document.indexOf(`\n## ${heading}\n`);
  if (start === -1) throw new Error(`there is no section ${heading}`);
  const end = document.indexOf("\n## ", start + 1);
  return document.slice(start, end === -1 ? undefined : end);
}

/** A link to a file of the repository, or to a heading in it. `file` is empty for a heading of the document itself. */
export interface Link {
  readonly file: string;
  readonly anchor: string;
}

/** Returns the links of a document, without those to the web. */
export function linksOf(document: string): readonly Link[] {
  return targetsIn(document)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map(parseLink);
}

const REPOSITORY = /^https:\/\/github\.com\/sophia-platform\/sophia-run\/(?:blob|tree)\/main\//;

/** Returns the links of a document that lead to files of this repository by their address on GitHub. */
export function repositoryLinksOf(document: string): readonly Link[] {
  return targetsIn(document)
    .filter((target) => REPOSITORY.test(target))
    .map((target) => parseLink(target.replace(REPOSITORY, "")));
}

/** Returns the targets of all links outside of code blocks. */
function targetsIn(document: string): readonly string[] {
  return [...document.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, "").matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = ""]) => target,
  );
}

/** Parses `docs/agents.md#hooks`. */
function parseLink(target: string): Link {
  return { file: target.replace(/#.*/, ""), anchor: /#(.*)/.exec(target)?.[1] ?? "" };
}

/** Returns the files of the repository to which a document links, without anchors. */
export function linkedFilesOf(document: string): readonly string[] {
  return linksOf(document)
    .map(({ file }) => file)
    .filter((file) => file !== "");
}

/** Returns the anchors that GitHub gives to the headings of a document. */
export function anchorsOf(document: string): readonly string[] {
  return [...document.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** Returns the text of a document as one line, without headings, code, targets of links and comments. */
export function proseOf(document: string): string {
  return document
    .replaceAll(/^( *)```[\s\S]*?^\1```$/gm, "")
    .replaceAll(/^#.*$/gm, "")
    .replaceAll(/`[^`]*`|\]\([^)]*\)|<!--[\s\S]*?-->/g, "")
    .replaceAll(/\s+/g, " ");
}

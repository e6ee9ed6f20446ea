/** A fenced block of a Markdown document. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a document, in its order; those within lists without their indentation. */
export function fencedBlocks(document: string): readonly Block[] {
  return [...document.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = "", language = "", text = ""]) => ({
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** A link to a file of the repository, or to a heading of one; `file` is empty within the document itself. */
export interface Link {
  readonly file: string;
  readonly anchor: string;
}

/** A document's links but those to the web. */
export function links(document: string): readonly Link[] {
  return targets(document)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map(linkTo);
}

const REPOSITORY = /^https:\/\/github\.com\/sophia-platform\/sophia-run\/(?:blob|tree)\/main\//;

/** A document's links to files of this repository by their address on the web. */
export function repositoryLinks(document: string): readonly Link[] {
  return targets(document)
    .filter((target) => REPOSITORY.test(target))
    .map((target) => linkTo(target.replace(REPOSITORY, "")));
}

function targets(document: string): readonly string[] {
  return [...document.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, "").matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = ""]) => target,
  );
}

function linkTo(target: string): Link {
  return { file: target.replace(/#.*/, ""), anchor: /#(.*)/.exec(target)?.[1] ?? "" };
}

/** The targets of a document's links that lead to files of the repository, without anchors. */
export function linkedFiles(document: string): readonly string[] {
  return links(document)
    .map(({ file }) => file)
    .filter((file) => file !== "");
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchors(document: string): readonly string[] {
  return [...document.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** The text of a document on one line, without headings, code, targets of links and comments. */
export function proseOf(document: string): string {
  return document
    .replaceAll(/^( *)```[\s\S]*?^\1```$/gm, "")
    .replaceAll(/^#.*$/gm, "")
    .replaceAll(/`[^`]*`|\]\([^)]*\)|<!--[\s\S]*?-->/g, "")
    .replaceAll(/\s+/g, " ");
}

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

/** The targets of a document's links that lead to files of the repository, without anchors. */
export function linkedFiles(document: string): readonly string[] {
  return [...document.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.replace(/#.*/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

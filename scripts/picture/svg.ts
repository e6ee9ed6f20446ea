/** Writes SVG documents that a screen reader can read. */

const MONOSPACE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** The content in words, for readers who do not see it. */
  readonly description: string;
  /** Rules of CSS, with an indent of four spaces. */
  readonly style: readonly string[];
  /** Elements, with an indent of two spaces. */
  readonly elements: readonly string[];
}

/** Returns the document. It refers to nothing outside: GitHub shows pictures without network and scripts. */
export function svgDocument({ width, height, title, description, style, elements }: Drawing): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `  <title id="title">${escaped(title)}</title>`,
    `  <desc id="description">${escaped(description)}</desc>`,
    "  <style>",
    `    text { font-family: ${MONOSPACE}; white-space: pre; }`,
    ...style,
    "  </style>",
    ...elements,
    "</svg>",
    "",
  ].join("\n");
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

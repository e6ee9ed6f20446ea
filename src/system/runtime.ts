/** This program runs in Bun: it is a stand-alone executable. */
export const isBun: boolean = process.versions["bun"] !== undefined;

/** Bits of the mode of a file or folder (stat(2)). */
export const EVERYBODY_READS = 0o004;
export const EVERYBODY_WRITES = 0o002;
/** Everybody can enter the folder. */
export const EVERYBODY_ENTERS = 0o001;
/** Anything that the group or everybody may do. */
export const FOR_OTHERS = 0o077;
/** In the folder only the owner of a file can rename or remove it. */
export const STICKY = 0o1000;

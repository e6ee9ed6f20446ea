/** Bits of the mode of a file or folder (stat(2)). */
export const WORLD_READABLE = 0o004;
export const WORLD_WRITABLE = 0o002;
/** All users can enter the folder. */
export const WORLD_SEARCHABLE = 0o001;
/** All permissions of the group and of other users. */
export const GROUP_OR_WORLD = 0o077;
/** Only the owner of a file can rename or remove it in such a folder. */
export const STICKY = 0o1000;

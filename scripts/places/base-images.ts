/** The archives of base images that a place's script has made (cache.sh). Without them an engine gets the images from registries. */
export const BASE_IMAGES: readonly string[] = (process.env["BASE_IMAGES"] ?? "").split("\n").filter(Boolean);

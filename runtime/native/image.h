/*
 * The image: memory as it is once the modules are loaded. The build runs the executable once and stores its image in it. Each
 * start goes on from there: it neither reads bytecode nor runs the code that defines classes and functions.
 */
#ifndef SOPHIA_RUN_IMAGE_H
#define SOPHIA_RUN_IMAGE_H

#include <stdbool.h>

#include "files.h"
#include "quickjs.h"

/* The image's room for the engine's memory; empty in an executable without image. */
extern char image_room[], image_room_end[];

/* The files that are loaded for the image, only in the process that makes it. */
extern const struct file *image_files;
extern size_t image_file_count;

/* Returns true if the build makes this process write the image: `sophia-run --make-image`. */
bool makes_image(int count, char **arguments);
/* Returns true, except in a process that makes the image: there it throws an error that names what the image cannot hold. */
bool may_have(JSContext *context, const char *what);
/* Returns an object for memory outside of the image; throws as may_have does. */
JSValue new_native_object(JSContext *context, JSClassID class);
/*
 * Reads image_files from standard input, calls `load`, which returns the end of the memory in use, or NULL if it failed, and
 * writes the image to standard output. Exits with a message if anything fails.
 */
_Noreturn void make_image(const char *(*load)(void));

#endif

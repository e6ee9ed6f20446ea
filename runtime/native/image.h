/*
 * The image: the memory of the engine as it is when the modules of JavaScript are loaded, stored in the executable.
 *
 * The build runs the executable once as `sophia-run --make-image`: that process loads the modules, and writes the section
 * `image` (all variables that are IMAGED, and image_room, the engine's memory) to its standard output. The build links this
 * again into the file that ships. A start then continues from there: it neither reads bytecode nor runs the code that
 * defines classes and functions.
 *
 * So code that runs while modules load runs on the build's machine. It must not open files, read the clock or make objects
 * that point to memory outside of the image; the functions below refuse that.
 */
#ifndef SOPHIA_RUN_IMAGE_H
#define SOPHIA_RUN_IMAGE_H

#include <stdbool.h>

#include "files.h"
#include "quickjs.h"

/* The memory of the engine in the image. It is empty in an executable without an image. */
extern char image_room[], image_room_end[];

/* The files that are loaded for the image. There are none but in the process that makes the image. */
extern const struct file *image_files;
extern size_t image_file_count;

/*
 * Returns true if this process must make the image: the command line is `sophia-run --make-image`, and there is no image
 * yet.
 */
bool makes_image(int count, char **arguments);
/*
 * Must be called before a function does something that the image cannot hold, which `action` describes: "reads the clock".
 * Returns true; but in the process that makes the image it returns false, and throws an error with the description.
 */
bool allow_outside_image(JSContext *context, const char *action);
/*
 * Returns an object of a class for memory of C code, outside of the image. Throws an error in the process that makes the
 * image.
 */
JSValue new_native_object(JSContext *context, JSClassID class);
/*
 * Makes the image: reads image_files from standard input, calls `load`, and writes the image to standard output. `load`
 * returns the end of the memory that is in use, or NULL if it fails. Ends this process, with a message if anything fails.
 */
_Noreturn void make_image(const char *(*load)(void));

#endif

/*
 * The files of the host that the guest is given: their mounts, and whether it
 * can use them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"
#include "mounts.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

#define NO_MAGIC_LINKS 0x02
#define NO_SYMLINKS 0x04

/* struct open_how, openat2(2) */
struct how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

bool is_grant(const struct place *place)
{
	return place->kind == PLACE_GRANT_READ ||
	       place->kind == PLACE_GRANT_WRITE;
}

bool has_files(const struct options *options)
{
	for (size_t i = 0; i < options->place_count; i++)
		if (is_grant(&options->places[i]))
			return true;
	return options->scratch_mib > 0;
}

/*
 * No link is followed: somebody with a grant, a guest of another sandbox say,
 * may have put one where a directory was when the host looked.
 */
static int open_path(const struct side *side, const struct place *place)
{
	const struct how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = NO_SYMLINKS | NO_MAGIC_LINKS,
	};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, place->path, &how,
			      sizeof(how));

	if (fd < 0)
		fail(side, STAGE_ROOT, "open the granted", place->path);
	return fd;
}

int detach_grant(const struct side *side, const struct place *place)
{
	int fd = open_path(side, place);
	int tree = (int)syscall(SYS_open_tree, fd, "",
				OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					AT_EMPTY_PATH | AT_RECURSIVE);
	int error = errno;
	struct stat status;

	close(fd);
	errno = error;
	if (tree < 0)
		return tree;
	if (fstat(tree, &status) != 0)
		fail(side, STAGE_ROOT, "look at", place->path);
	if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
		errno = EINVAL;
		fail(side, STAGE_ROOT, "grant what is no file:", place->path);
	}
	return tree;
}

/* Whether a place stands in a directory of the host's that can be written to. */
bool is_in_writable_grant(const struct options *options,
			  const struct place *place)
{
	for (size_t i = 0; i < options->place_count; i++) {
		const struct place *other = &options->places[i];
		size_t length = strlen(other->path);

		if (other->kind == PLACE_GRANT_WRITE &&
		    strncmp(place->path, other->path, length) == 0 &&
		    place->path[length] == '/')
			return true;
	}
	return false;
}

/* Whether the guest can pass every directory on the way; if not, writes down the first that keeps it out. */
static bool can_pass(const char *path, char *closed, size_t size)
{
	for (const char *at = strchr(path + 1, '/'); at != NULL;
	     at = strchr(at + 1, '/')) {
		snprintf(closed, size, "%.*s", (int)(at - path), path);
		if (access(closed, X_OK) != 0)
			return false;
	}
	return true;
}

/* As the guest, without any capability: node would say less, or nothing. */
void assert_places(const struct side *side, const struct options *options)
{
	const char *last = NULL;

	for (size_t i = 0; i < options->place_count; i++) {
		const struct place *place = &options->places[i];
		char closed[PATH_MAX];
		struct stat status;
		int mode = place->kind == PLACE_EXEC ? R_OK | X_OK : R_OK;

		if (place->kind != PLACE_READ && place->kind != PLACE_EXEC)
			continue;
		if (stat(place->path, &status) == 0 && S_ISDIR(status.st_mode))
			mode |= X_OK;
		if ((last == NULL || !are_neighbours(last, place->path)) &&
		    !can_pass(place->path, closed, sizeof(closed)))
			fail(side, STAGE_ROOT, "let the guest pass through",
			     closed);
		last = place->path;
		if (access(place->path, mode) != 0)
			fail(side, STAGE_ROOT, "let the guest boot from",
			     place->path);
	}
}

/* As the guest, without any capability: better now than a surprise in its program. */
void assert_grants(const struct side *side, const struct options *options)
{
	for (size_t i = 0; i < options->place_count; i++) {
		const struct place *place = &options->places[i];
		struct stat status;
		int mode = R_OK;

		if (!is_grant(place))
			continue;
		if (stat(place->path, &status) != 0)
			fail(side, STAGE_ROOT, "let the guest see",
			     place->path);
		if (S_ISDIR(status.st_mode))
			mode |= X_OK;
		if (access(place->path, mode) != 0)
			fail(side, STAGE_ROOT, "let the guest read",
			     place->path);
		if (place->kind == PLACE_GRANT_WRITE &&
		    access(place->path, W_OK) != 0)
			fail(side, STAGE_ROOT, "let the guest write",
			     place->path);
	}
}

/*
 * The guest's file system: an empty tmpfs, and on it the places that argv
 * names, all of it read-only but for what was granted otherwise. Nothing of the
 * host's tree stays reachable.
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

#define INODES_PER_MIB 256
#define MAX_INODES 65536

#define PINNED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

static int set_attributes(int directory, const char *path, unsigned int flags,
			  uint64_t attributes)
{
	struct mount_attributes wanted = {
		.attr_set = attributes,
		.propagation = MS_PRIVATE,
	};

	return (int)syscall(SYS_mount_setattr, directory, path, flags, &wanted,
			    sizeof(wanted));
}

static uint64_t attributes_of(const struct place *place)
{
	switch (place->kind) {
	case PLACE_GRANT_READ:
		return PINNED | MOUNT_ATTR_NOEXEC;
	case PLACE_GRANT_WRITE:
		return (PINNED | MOUNT_ATTR_NOEXEC) & ~MOUNT_ATTR_RDONLY;
	default:
		return PINNED;
	}
}

/* What is forbidden here, or unknown, init comes to again; there it says what tier this machine can have. */
static bool may_be_left(enum effort effort)
{
	return effort == AS_FAR_AS_ALLOWED &&
	       (errno == EPERM || errno == ENOSYS);
}

/* Whether its owner keeps it from everybody else, as a umask of 077 makes it. */
static bool is_closed(const struct side *side, const struct place *place)
{
	mode_t needed = place->kind == PLACE_EXEC ? 05 : 04;
	struct stat status;

	if (fstat(place->tree, &status) != 0)
		fail(side, STAGE_ROOT, "look at", place->path);
	if (S_ISDIR(status.st_mode))
		needed = 05;
	return (status.st_mode & needed) != needed;
}

/* Returns false when this process may not, and init is to try. */
static bool detach_place(const struct side *side, struct place *place,
			 enum effort effort)
{
	place->tree = is_grant(place) ?
			      detach_grant(side, place) :
			      (int)syscall(SYS_open_tree, AT_FDCWD, place->path,
					   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
						   AT_RECURSIVE);
	if (place->tree < 0 && may_be_left(effort))
		return false;
	if (place->tree < 0)
		fail(side, STAGE_ROOT, "bind", place->path);
	if (set_attributes(place->tree, "", AT_EMPTY_PATH | AT_RECURSIVE,
			   attributes_of(place)) == 0)
		return true;
	if (!may_be_left(effort))
		fail(side, STAGE_ROOT, "restrict", place->path);
	close(place->tree);
	place->tree = -1;
	return false;
}

/*
 * Copies the mount of each place to the side, read-only. Detached from
 * everything, the copies can be made on the host and attached in the guest's
 * namespace.
 */
void detach_places(const struct side *side, struct options *options,
		   const struct world *world, enum effort effort)
{
	struct mapping mapping = { 0 };

	for (size_t i = 0; i < options->place_count; i++) {
		struct place *place = &options->places[i];

		if (place->kind == PLACE_LINK || place->kind == PLACE_EMPTY ||
		    place->tree >= 0)
			continue;
		if (!detach_place(side, place, effort))
			break;
		if (effort == AS_FAR_AS_ALLOWED &&
		    (is_grant(place) || is_closed(side, place)))
			lend_ownership(side, place, world, &mapping);
	}
	forget_mapping(&mapping);
}

/* An empty file system in memory, attached to nothing yet. */
static int make_tmpfs(const struct side *side, const char *size,
		      const char *inodes, const char *mode)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int tree;

	if (context < 0)
		fail(side, STAGE_ROOT, "open", "tmpfs");
	if (syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_SET_STRING, "size",
		    size, 0) != 0 ||
	    syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_SET_STRING,
		    "nr_inodes", inodes, 0) != 0 ||
	    syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_SET_STRING, "mode",
		    mode, 0) != 0 ||
	    syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_CMD_CREATE, NULL,
		    NULL, 0) != 0)
		fail(side, STAGE_ROOT, "create", "tmpfs");
	tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC);
	if (tree < 0)
		fail(side, STAGE_ROOT, "mount", "tmpfs");
	close(context);
	return tree;
}

/* An empty tmpfs, stacked on the root of the host. */
static int mount_root(const struct side *side)
{
	int root = make_tmpfs(side, "16m", "65536", "0555");

	if (syscall(SYS_move_mount, root, "", AT_FDCWD, "/",
		    MOVE_MOUNT_F_EMPTY_PATH) != 0)
		fail(side, STAGE_ROOT, "attach", "tmpfs");
	return root;
}

/*
 * The guest's own. A file without content takes no part of its size, but the
 * kernel about a KiB: so their number is bounded by the size, too.
 */
static void mount_scratch(const struct side *side, int root, uint64_t mib)
{
	uint64_t count = mib * INODES_PER_MIB;
	char size[32], inodes[32];
	int tree;

	if (count > MAX_INODES)
		count = MAX_INODES;
	snprintf(size, sizeof(size), "%llum", (unsigned long long)mib);
	snprintf(inodes, sizeof(inodes), "%llu", (unsigned long long)count);
	tree = make_tmpfs(side, size, inodes, "0700");
	if (mkdirat(root, SCRATCH_PATH + 1, 0755) != 0)
		fail(side, STAGE_ROOT, "make the directory", SCRATCH_PATH);
	if (syscall(SYS_move_mount, tree, "", root, SCRATCH_PATH + 1,
		    MOVE_MOUNT_F_EMPTY_PATH) != 0)
		fail(side, STAGE_ROOT, "attach", SCRATCH_PATH);
	close(tree);
}

/*
 * Opens the directory above a path, making what is missing on the way unless
 * it has to be there. It follows no link: until the pivot an absolute link
 * would lead back to the host.
 */
static int open_parent(const struct side *side, int root, const char *path,
		       bool is_there)
{
	int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (const char *name = path + 1; at >= 0;) {
		size_t length = strcspn(name, "/");
		char part[NAME_MAX + 1] = { 0 };
		int next;

		if (name[length] == '\0')
			return at;
		memcpy(part, name, length);
		if (!is_there && mkdirat(at, part, 0755) != 0 &&
		    errno != EEXIST)
			break;
		next = openat(at, part,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
		name += length + 1;
	}
	fail(side, STAGE_ROOT, "make the directory for", path);
}

static void make_empty(const struct side *side, int parent, const char *name,
		       const char *path)
{
	int fd = openat(parent, name,
			O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
			0444);

	/* A place below a bound directory is there already. */
	if (fd < 0 && errno != EEXIST)
		fail(side, STAGE_ROOT, "create", path);
	if (fd >= 0)
		close(fd);
}

static void attach_tree(const struct side *side, int parent, const char *name,
			const struct place *place, bool is_there)
{
	struct stat status;

	if (fstat(place->tree, &status) != 0)
		fail(side, STAGE_ROOT, "look at", place->path);
	if (is_there) {
		/* Or the host would keep an empty file of ours. */
	} else if (S_ISDIR(status.st_mode)) {
		if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST)
			fail(side, STAGE_ROOT, "make the directory",
			     place->path);
	} else {
		make_empty(side, parent, name, place->path);
	}
	if (syscall(SYS_move_mount, place->tree, "", parent, name,
		    MOVE_MOUNT_F_EMPTY_PATH) != 0)
		fail(side, STAGE_ROOT, "attach", place->path);
	close(place->tree);
}

static void make_link(const struct side *side, int parent, const char *name,
		      const struct place *place)
{
	/* What is below a bound directory has its links already. */
	if (symlinkat(place->target, parent, name) != 0 && errno != EEXIST)
		fail(side, STAGE_ROOT, "make the link", place->path);
}

/* How many bytes of a path name the directory above it. */
static size_t parent_length(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

bool are_neighbours(const char *path, const char *other)
{
	const size_t length = parent_length(path);

	return length == parent_length(other) &&
	       memcmp(path, other, length) == 0;
}

void build_root(const struct side *side, const struct options *options)
{
	const char *last = NULL;
	int root, parent = -1;

	/* From now on nothing comes from the host's mounts, and nothing goes there. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		fail(side, STAGE_ROOT, "make the mounts private", "");
	root = mount_root(side);
	if (options->scratch_mib > 0)
		mount_scratch(side, root, options->scratch_mib);
	for (size_t i = 0; i < options->place_count; i++) {
		const struct place *place = &options->places[i];
		const bool is_there = is_in_writable_grant(options, place);
		const char *name = strrchr(place->path, '/') + 1;

		/* What is mounted over a directory stands above it, not beside the last place in it. */
		if (last == NULL || !are_neighbours(last, place->path)) {
			if (parent >= 0)
				close(parent);
			parent = open_parent(side, root, place->path, is_there);
		}
		last = place->path;
		if (place->kind == PLACE_LINK)
			make_link(side, parent, name, place);
		else if (place->kind == PLACE_EMPTY)
			make_empty(side, parent, name, place->path);
		else
			attach_tree(side, parent, name, place, is_there);
	}
	if (parent >= 0)
		close(parent);

	/* Old and new root in one place: the old one ends up on top and falls away. */
	if (fchdir(root) != 0)
		fail(side, STAGE_ROOT, "enter", "the new root");
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		fail(side, STAGE_ROOT, "pivot", "the root");
	if (umount2(".", MNT_DETACH) != 0)
		fail(side, STAGE_ROOT, "detach", "the old root");
	if (chdir("/") != 0)
		fail(side, STAGE_ROOT, "enter", "/");
#ifndef WITHOUT_READ_ONLY_ROOT
	if (set_attributes(AT_FDCWD, "/", 0, PINNED | MOUNT_ATTR_NOEXEC) != 0)
		fail(side, STAGE_ROOT, "make read-only", "/");
#endif
	close(root);
}

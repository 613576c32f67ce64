/*
 * The guest's file system: an empty tmpfs, and on it the places that argv
 * names, all of it read-only. Nothing of the host's tree stays reachable.
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

#define PINNED \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

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

/*
 * Copies the mount of each place to the side, read-only. Detached from
 * everything, the copies can be made on the host and attached in the guest's
 * namespace.
 */
void detach_places(const struct side *side, struct options *options,
		   enum effort effort)
{
	for (size_t i = 0; i < options->place_count; i++) {
		struct place *place = &options->places[i];

		if (place->kind == PLACE_LINK || place->kind == PLACE_EMPTY ||
		    place->tree >= 0)
			continue;
		place->tree = (int)syscall(
			SYS_open_tree, AT_FDCWD, place->path,
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (place->tree < 0 && errno == EPERM &&
		    effort == AS_FAR_AS_ALLOWED)
			return;
		if (place->tree < 0)
			fail(side, STAGE_ROOT, "bind", place->path);
		if (set_attributes(place->tree, "",
				   AT_EMPTY_PATH | AT_RECURSIVE, PINNED) != 0)
			fail(side, STAGE_ROOT, "make read-only", place->path);
	}
}

/* An empty tmpfs, stacked on the root of the host. */
static int mount_root(const struct side *side)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int root;

	if (context < 0)
		fail(side, STAGE_ROOT, "open", "tmpfs");
	if (syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_SET_STRING, "size", "16m",
		    0) != 0 ||
	    syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_SET_STRING, "nr_inodes",
		    "65536", 0) != 0 ||
	    syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_SET_STRING, "mode", "0555",
		    0) != 0 ||
	    syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_CMD_CREATE, NULL, NULL,
		    0) != 0)
		fail(side, STAGE_ROOT, "create", "tmpfs");
	root = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC);
	if (root < 0)
		fail(side, STAGE_ROOT, "mount", "tmpfs");
	if (syscall(SYS_move_mount, root, "", AT_FDCWD, "/",
		    MOVE_MOUNT_F_EMPTY_PATH) != 0)
		fail(side, STAGE_ROOT, "attach", "tmpfs");
	close(context);
	return root;
}

/*
 * Opens the directory above a path, making what is missing on the way, and
 * points `name` at the last part. It follows no link: until the pivot an
 * absolute link would lead back to the host.
 */
static int open_parent(const struct side *side, int root, const char *path,
		       const char **name)
{
	int at = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (*name = path + 1; at >= 0;) {
		size_t length = strcspn(*name, "/");
		char part[NAME_MAX + 1] = { 0 };
		int next;

		if ((*name)[length] == '\0')
			return at;
		memcpy(part, *name, length);
		if (mkdirat(at, part, 0755) != 0 && errno != EEXIST)
			break;
		next = openat(at, part,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
		*name += length + 1;
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
			const struct place *place)
{
	struct stat status;

	if (fstat(place->tree, &status) != 0)
		fail(side, STAGE_ROOT, "look at", place->path);
	if (S_ISDIR(status.st_mode)) {
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

void build_root(const struct side *side, const struct options *options)
{
	int root;

	/* From now on nothing comes from the host's mounts, and nothing goes there. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		fail(side, STAGE_ROOT, "make the mounts private", "");
	root = mount_root(side);
	for (size_t i = 0; i < options->place_count; i++) {
		const struct place *place = &options->places[i];
		const char *name;
		int parent = open_parent(side, root, place->path, &name);

		if (place->kind == PLACE_LINK)
			make_link(side, parent, name, place);
		else if (place->kind == PLACE_EMPTY)
			make_empty(side, parent, name, place->path);
		else
			attach_tree(side, parent, name, place);
		close(parent);
	}

	/* Old and new root in one place: the old one ends up on top and falls away. */
	if (fchdir(root) != 0)
		fail(side, STAGE_ROOT, "enter", "the new root");
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		fail(side, STAGE_ROOT, "pivot", "the root");
	if (umount2(".", MNT_DETACH) != 0)
		fail(side, STAGE_ROOT, "detach", "the old root");
	if (chdir("/") != 0)
		fail(side, STAGE_ROOT, "enter", "/");
	if (set_attributes(AT_FDCWD, "/", 0, PINNED | MOUNT_ATTR_NOEXEC) != 0)
		fail(side, STAGE_ROOT, "make read-only", "/");
	close(root);
}

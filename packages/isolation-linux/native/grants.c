/*
 * The files of the host that the guest is given for good: their mounts, who it
 * is in them, and whether that is enough to use them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "mounts.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
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

/* A user namespace needs a process to begin with. */
static pid_t start_sleeper(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL,
				   NULL, NULL, NULL);

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

/* "Who owns this on the disk is the guest in here." */
static bool map_owner(pid_t pid, const char *kind, unsigned int owner,
		      unsigned int guest)
{
	char path[64], text[64];
	ssize_t length;
	bool written;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s_map", pid, kind);
	length = snprintf(text, sizeof(text), "%u %u 1", owner, guest);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, (size_t)length) == length;
	close(fd);
	return written;
}

/* Returns a user namespace as mount_setattr(2) wants it, -1: it cannot be had. */
static int make_mapping(const struct stat *owner, const struct world *world)
{
	pid_t pid = start_sleeper();
	char path[64];
	int fd = -1;

	if (pid < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (map_owner(pid, "uid", owner->st_uid, world->uid) &&
	    map_owner(pid, "gid", owner->st_gid, world->gid))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	return fd;
}

/*
 * The guest that root launches is somebody who owns nothing. Where kernel and
 * file system can (Linux 5.12 and ext4, XFS, Btrfs, tmpfs ... but no overlay)
 * it acts in a grant as the owner of what was granted. Elsewhere plain
 * permissions decide, and assert_grants() says whether they are enough.
 */
void lend_ownership(const struct side *side, const struct place *place,
		    const struct world *world)
{
	struct mount_attributes wanted = { .attr_set = MOUNT_ATTR_IDMAP };
	struct stat owner;
	int mapping;

	if (fstat(place->tree, &owner) != 0)
		fail(side, STAGE_ROOT, "look at", place->path);
	if (owner.st_uid == world->uid && owner.st_gid == world->gid)
		return;
	mapping = make_mapping(&owner, world);
	if (mapping < 0)
		return;
	wanted.userns_fd = (uint64_t)mapping;
	syscall(SYS_mount_setattr, place->tree, "",
		AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof(wanted));
	close(mapping);
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

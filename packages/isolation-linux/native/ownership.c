/* Who the guest is in the files of the host that root gives it. */
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

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

/* A user namespace needs a process to begin with. */
static pid_t start_sleeper(void)
{
	const pid_t self = getpid();
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL,
				   NULL, NULL, NULL);

	if (pid != 0)
		return pid;
	/* A supervisor that died before would never be noticed. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self)
		_exit(EXIT_SETUP_FAILED);
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
static int make_user_namespace(const struct stat *owner,
			       const struct world *world)
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

/* Most places have the same owner. Returns false: there is no mapping. */
static bool map_to_guest(struct mapping *mapping, const struct stat *owner,
			 const struct world *world)
{
	if (mapping->is_made && mapping->uid == owner->st_uid &&
	    mapping->gid == owner->st_gid)
		return mapping->fd >= 0;
	forget_mapping(mapping);
	mapping->is_made = true;
	mapping->uid = owner->st_uid;
	mapping->gid = owner->st_gid;
	mapping->fd = make_user_namespace(owner, world);
	return mapping->fd >= 0;
}

void forget_mapping(struct mapping *mapping)
{
	if (mapping->is_made && mapping->fd >= 0)
		close(mapping->fd);
	mapping->is_made = false;
}

/*
 * The guest that root launches is somebody who owns nothing. Where kernel and
 * file system can (Linux 5.12 and ext4, XFS, Btrfs, tmpfs ... but no overlay)
 * it acts as the owner in what it was granted, and in what it boots from if
 * that is closed to others. Elsewhere plain permissions decide, and
 * assert_places() and assert_grants() say whether they are enough.
 */
void lend_ownership(const struct side *side, const struct place *place,
		    const struct world *world, struct mapping *mapping)
{
	struct mount_attributes wanted = { .attr_set = MOUNT_ATTR_IDMAP };
	struct stat owner;

	if (fstat(place->tree, &owner) != 0)
		fail(side, STAGE_ROOT, "look at", place->path);
	if (owner.st_uid == world->uid && owner.st_gid == world->gid)
		return;
	if (!map_to_guest(mapping, &owner, world))
		return;
	wanted.userns_fd = (uint64_t)mapping->fd;
	syscall(SYS_mount_setattr, place->tree, "",
		AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof(wanted));
}
